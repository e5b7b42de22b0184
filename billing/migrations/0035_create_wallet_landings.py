"""Create wallets that ran out, and the policy of how long each stage lasts."""

import datetime

import django.db.models.deletion
from django.db import migrations, models

import accounts.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_add_invitations"),
        ("billing", "0034_check_usage_by_statement"),
    ]

    operations = [
        migrations.CreateModel(
            name="LandingPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("grace_hours", models.PositiveIntegerField()),
                ("notice_hours", models.PositiveIntegerField()),
                ("effective_from", models.DateTimeField(unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("grace_hours__lte", 2160), ("notice_hours__lte", 2160)),
                        name="landing_policy_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effective_from__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("effective_from__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="landing_policy_time_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletLanding",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("status", models.CharField(max_length=12)),
                ("began_at", models.DateTimeField()),
                ("stops_at", models.DateTimeField()),
                ("releases_at", models.DateTimeField()),
                ("stopped_at", models.DateTimeField(null=True)),
                ("releasing_at", models.DateTimeField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_landings",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "id"], name="wallet_landing_of_organisation")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "lifted"), _negated=True),
                        fields=("organisation", "currency"),
                        name="wallet_landing_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["grace", "lifted", "releasing", "stopped"])),
                        name="wallet_landing_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("began_at__lte", models.F("stops_at")),
                            ("stops_at__lte", models.F("releases_at")),
                            models.Q(
                                ("stopped_at__isnull", True),
                                models.Q(
                                    ("stopped_at__gte", models.F("stops_at")),
                                    ("stopped_at__lte", models.F("releases_at")),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("releasing_at__isnull", True),
                                models.Q(("releasing_at__gte", models.F("releases_at")), ("stopped_at__isnull", False)),
                                _connector="OR",
                            ),
                        ),
                        name="wallet_landing_not_before_its_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("lifted_at__isnull", True),
                                ("releasing_at__isnull", True),
                                ("status", "grace"),
                                ("stopped_at__isnull", True),
                            ),
                            models.Q(
                                ("lifted_at__isnull", True),
                                ("releasing_at__isnull", True),
                                ("status", "stopped"),
                                ("stopped_at__isnull", False),
                            ),
                            models.Q(
                                ("lifted_at__isnull", True), ("releasing_at__isnull", False), ("status", "releasing")
                            ),
                            models.Q(("lifted_at__isnull", False), ("status", "lifted")),
                            _connector="OR",
                        ),
                        name="wallet_landing_dates_of_its_stage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("began_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("releases_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            models.Q(
                                ("lifted_at__isnull", True),
                                ("lifted_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                _connector="OR",
                            ),
                        ),
                        name="wallet_landing_in_range",
                    ),
                ],
            },
        ),
    ]
