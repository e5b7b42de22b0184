"""Bound what projects spend, and what is lent to customers."""

import datetime

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import accounts.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_add_invitations"),
        ("billing", "0024_guard_bank_statements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditLimitChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("limit_minor", models.BigIntegerField()),
                ("reason", models.CharField(max_length=200)),
                ("status", models.CharField(max_length=12)),
                ("created_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_limit_changes",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "proposed")),
                        fields=("organisation", "currency"),
                        name="credit_change_one_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["approved", "declined", "proposed"])),
                        name="credit_change_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit_minor__gte", 0), ("limit_minor__lte", 1000000000000)),
                        name="credit_change_limit_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ("decided_by__isnull", True),
                            _connector="OR",
                        ),
                        name="credit_change_takes_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True), ("decided_by__isnull", True), ("status", "proposed")
                            ),
                            models.Q(
                                models.Q(("status", "proposed"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="credit_change_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="credit_change_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProjectBudget",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("limit_minor", models.BigIntegerField()),
                ("held_minor", models.BigIntegerField()),
                ("captured_minor", models.BigIntegerField()),
                ("extras_minor", models.BigIntegerField()),
                ("overrun_minor", models.BigIntegerField(default=0)),
                ("changed_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="budgets", to="accounts.project"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "currency"), name="project_budget_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("captured_minor__gte", 0),
                            ("extras_minor__gte", 0),
                            ("held_minor__gte", 0),
                            ("limit_minor__gte", 0),
                            ("overrun_minor__gte", 0),
                        ),
                        name="project_budget_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "limit_minor__gte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("held_minor"), "+", models.F("captured_minor")
                                        ),
                                        "+",
                                        models.F("extras_minor"),
                                    ),
                                    "-",
                                    models.F("overrun_minor"),
                                ),
                            )
                        ),
                        name="project_budget_never_overshot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("changed_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("changed_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="project_budget_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletThreshold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("below_minor", models.BigIntegerField()),
                ("is_armed", models.BooleanField()),
                ("warned_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_thresholds",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "currency", "below_minor"), name="wallet_threshold_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("below_minor__gte", 0), ("below_minor__lte", 1000000000000)),
                        name="wallet_threshold_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("warned_at__isnull", True),
                            models.Q(
                                ("warned_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                ("warned_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ),
                            _connector="OR",
                        ),
                        name="wallet_threshold_warned_in_range",
                    ),
                ],
            },
        ),
    ]
