"""Create calls to Stripe, the rows of our balance there, and what is sent to providers."""

import datetime

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import accounts.foundation.ids
import billing.gateway.rules


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_add_invitations"),
        ("billing", "0018_guard_what_is_handed_back"),
    ]

    operations = [
        migrations.CreateModel(
            name="BalanceTransaction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_id", models.CharField(max_length=120, unique=True)),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField()),
                ("net_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("type", models.CharField(max_length=60)),
                ("reporting_category", models.CharField(max_length=60)),
                ("source_id", models.CharField(blank=True, max_length=120)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("status", models.CharField(max_length=12)),
                ("available_on", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("pulled_at", models.DateTimeField()),
                ("payout_id", models.CharField(blank=True, db_index=True, max_length=120)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at"], name="balance_transaction_by_time"),
                    models.Index(fields=["source_id"], name="balance_transaction_by_source"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "net_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("amount_minor"), "-", models.F("fee_minor")
                                ),
                            )
                        ),
                        name="balance_transaction_net_is_less_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["available", "pending"])),
                        name="balance_transaction_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="balance_transaction_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("available_on__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("available_on__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("pulled_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("pulled_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="balance_transaction_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectedAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_id", models.CharField(blank=True, max_length=120)),
                ("status", models.CharField(max_length=12)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stripe_account",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ConnectTransfer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("payout_id", models.UUIDField(unique=True)),
                ("amount_minor", models.BigIntegerField()),
                ("reversed_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("status", models.CharField(max_length=16)),
                ("transfer_stripe_id", models.CharField(blank=True, max_length=120)),
                ("payout_stripe_id", models.CharField(blank=True, max_length=120)),
                ("failure", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="billing.connectedaccount",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stripe_transfers",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GatewayCall",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("operation", models.CharField(max_length=20)),
                ("subject_type", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("key", models.CharField(max_length=80, unique=True)),
                ("parameters", models.TextField()),
                ("account", models.CharField(blank=True, max_length=64)),
                ("state", models.CharField(default=billing.gateway.rules.CallState["INTENDED"], max_length=12)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("first_sent_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("object_id", models.CharField(blank=True, max_length=120)),
                ("object_url", models.TextField(blank=True)),
                ("object_status", models.CharField(blank=True, max_length=40)),
                ("refusal_code", models.CharField(blank=True, max_length=80)),
                ("refusal", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["intended", "unknown"])),
                        fields=["created_at"],
                        name="gateway_call_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("operation", "subject_type", "subject_id"), name="gateway_call_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "operation__in",
                                [
                                    "connect_account",
                                    "connect_link",
                                    "customer",
                                    "detach_method",
                                    "pay_session",
                                    "payment",
                                    "payout",
                                    "refund",
                                    "reversal",
                                    "setup_session",
                                    "transfer",
                                ],
                            )
                        ),
                        name="gateway_call_operation_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["done", "intended", "refused", "unknown"])),
                        name="gateway_call_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("state", "intended")),
                            models.Q(
                                ("answered_at__isnull", True), ("first_sent_at__isnull", False), ("state", "unknown")
                            ),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("first_sent_at__isnull", False),
                                ("state", "done"),
                                models.Q(("object_id", ""), _negated=True),
                            ),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("state", "refused"),
                                models.Q(("refusal_code", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="gateway_call_answered_has_its_answer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            models.Q(
                                ("first_sent_at__isnull", True),
                                ("first_sent_at__gte", models.F("created_at")),
                                _connector="OR",
                            ),
                        ),
                        name="gateway_call_times_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OnboardingLink",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="links", to="billing.connectedaccount"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TransferReversal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("status", models.CharField(max_length=12)),
                ("stripe_id", models.CharField(blank=True, max_length=120)),
                ("failure", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField()),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="billing.connecttransfer",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="connectedaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_id", ""), _negated=True),
                fields=("stripe_id",),
                name="connected_account_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="connectedaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["enabled", "onboarding", "preparing", "refused"])),
                name="connected_account_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="connectedaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["preparing", "refused"]), ("stripe_id", "")),
                    models.Q(("status__in", ["onboarding", "enabled"]), models.Q(("stripe_id", ""), _negated=True)),
                    _connector="OR",
                ),
                name="connected_account_has_its_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="connectedaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("changed_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("changed_at__gte", models.F("created_at")),
                ),
                name="connected_account_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("transfer_stripe_id", ""), _negated=True),
                fields=("transfer_stripe_id",),
                name="transfer_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("payout_stripe_id", ""), _negated=True),
                fields=("payout_stripe_id",),
                name="transfer_payout_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["failed", "paid", "paying_out", "payout_failed", "preparing", "reversed", "sent"])
                ),
                name="transfer_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__gt", 0),
                    ("reversed_minor__gte", 0),
                    ("reversed_minor__lte", models.F("amount_minor")),
                ),
                name="transfer_reversed_within_sent",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["preparing", "failed"]), ("transfer_stripe_id", "")),
                    models.Q(
                        models.Q(("status__in", ["preparing", "failed"]), _negated=True),
                        models.Q(("transfer_stripe_id", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="transfer_sent_has_its_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "reversed"), _negated=True),
                    ("reversed_minor", models.F("amount_minor")),
                    _connector="OR",
                ),
                name="transfer_reversed_is_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="connecttransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("changed_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("changed_at__gte", models.F("created_at")),
                ),
                name="transfer_times_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="transferreversal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_id", ""), _negated=True), fields=("stripe_id",), name="reversal_id_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="transferreversal",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="reversal_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="transferreversal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["preparing", "refused"]), ("stripe_id", "")),
                    models.Q(("status", "done"), models.Q(("stripe_id", ""), _negated=True)),
                    _connector="OR",
                ),
                name="reversal_done_has_its_id",
            ),
        ),
    ]
