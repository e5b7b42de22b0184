"""Create saved cards, card payments, refunds, disputes and the messages of Stripe."""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_add_invitations"),
        ("billing", "0020_guard_the_gateway"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedMethod",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_id", models.CharField(max_length=120, unique=True)),
                ("brand", models.CharField(max_length=40)),
                ("last4", models.CharField(blank=True, max_length=4)),
                ("expires_year", models.PositiveSmallIntegerField()),
                ("expires_month", models.PositiveSmallIntegerField()),
                ("saved_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved_methods",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MethodSetup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("status", models.CharField(max_length=12)),
                ("session_id", models.CharField(blank=True, max_length=120)),
                ("url", models.TextField(blank=True)),
                ("return_to", models.CharField(max_length=300)),
                ("created_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="method_setups",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "method",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="setup",
                        to="billing.savedmethod",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CardPayment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("purpose", models.CharField(max_length=12)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("status", models.CharField(max_length=12)),
                ("session_id", models.CharField(blank=True, max_length=120)),
                ("intent_id", models.CharField(blank=True, max_length=120)),
                ("charge_id", models.CharField(blank=True, max_length=120)),
                ("url", models.TextField(blank=True)),
                ("return_to", models.CharField(blank=True, max_length=300)),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("succeeded_at", models.DateTimeField(null=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="card_payments",
                        to="billing.invoice",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="card_payments",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.ledgertransaction",
                    ),
                ),
                (
                    "method",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="billing.savedmethod",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CardCustomer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_id", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField()),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="card_customer",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "autopay_method",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.savedmethod",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StripeEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_id", models.CharField(max_length=120, unique=True)),
                ("type", models.CharField(max_length=100)),
                ("account", models.CharField(blank=True, max_length=120)),
                ("object_kind", models.CharField(max_length=60)),
                ("object_id", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("polled", models.BooleanField(default=False)),
                ("state", models.CharField(max_length=12)),
                ("handled_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "received")), fields=["received_at"], name="stripe_event_open"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["ignored", "parked", "processed", "received"])),
                        name="stripe_event_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("handled_at__isnull", True), ("state", "received")),
                            models.Q(models.Q(("state", "received"), _negated=True), ("handled_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="stripe_event_handled_has_its_instant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("received_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("received_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="stripe_event_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardDispute",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_id", models.CharField(max_length=120, unique=True)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=60)),
                ("status", models.CharField(max_length=12)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "transaction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.ledgertransaction"
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="billing.cardpayment"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["lost", "open", "won"])), name="dispute_status_known"
                    ),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="dispute_amount_positive"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("status", "open")),
                            models.Q(models.Q(("status", "open"), _negated=True), ("closed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="dispute_closed_has_its_instant",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardRefund",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("alone_up_to_minor", models.BigIntegerField()),
                ("status", models.CharField(max_length=12)),
                ("reason", models.CharField(max_length=200)),
                ("stripe_id", models.CharField(blank=True, max_length=120)),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="billing.cardpayment"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.ledgertransaction",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("stripe_id", ""), _negated=True),
                        fields=("stripe_id",),
                        name="refund_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["declined", "failed", "requested", "sent", "succeeded"])),
                        name="refund_status_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="refund_amount_positive"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["requested", "declined"]),
                            ("amount_minor__lte", models.F("alone_up_to_minor")),
                            models.Q(
                                ("approved_by__isnull", False),
                                ("requested_by__isnull", False),
                                models.Q(("approved_by", models.F("requested_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="refund_above_the_limit_takes_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["requested", "declined"]), ("transaction__isnull", True)),
                            models.Q(("status__in", ["sent", "succeeded", "failed"]), ("transaction__isnull", False)),
                            _connector="OR",
                        ),
                        name="refund_sent_is_posted",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="savedmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("saved_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("saved_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    models.Q(("removed_at__isnull", True), ("removed_at__gte", models.F("saved_at")), _connector="OR"),
                ),
                name="saved_method_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="methodsetup",
            constraint=models.UniqueConstraint(
                condition=models.Q(("session_id", ""), _negated=True), fields=("session_id",), name="method_setup_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="methodsetup",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["ended", "open", "preparing", "saved"])),
                name="method_setup_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="methodsetup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("method__isnull", False), ("status", "saved")),
                    models.Q(models.Q(("status", "saved"), _negated=True), ("method__isnull", True)),
                    _connector="OR",
                ),
                name="method_setup_saved_has_its_method",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("session_id", ""), _negated=True),
                fields=("session_id",),
                name="card_payment_session_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("intent_id", ""), _negated=True),
                fields=("intent_id",),
                name="card_payment_intent_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("charge_id", ""), _negated=True),
                fields=("charge_id",),
                name="card_payment_charge_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["preparing", "open"])),
                fields=("invoice",),
                name="card_payment_one_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["expired", "failed", "open", "preparing", "succeeded"])),
                name="card_payment_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("invoice__isnull", True), ("purpose", "top_up")),
                    models.Q(("invoice__isnull", False), ("method__isnull", False), ("purpose", "invoice")),
                    _connector="OR",
                ),
                name="card_payment_purpose_has_its_invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0), ("amount_minor__lte", 99999999)),
                name="card_payment_amount_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refunded_minor__gte", 0),
                    ("refunded_minor__lte", models.F("amount_minor")),
                    models.Q(("refunded_minor", 0), ("status", "succeeded"), _connector="OR"),
                ),
                name="card_payment_refunded_within_captured",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("status", "succeeded"),
                        ("succeeded_at__isnull", False),
                        ("transaction__isnull", False),
                        models.Q(("intent_id", ""), _negated=True),
                        models.Q(("charge_id", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("status", "succeeded"), _negated=True),
                        ("succeeded_at__isnull", True),
                        ("transaction__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="card_payment_succeeded_is_posted",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="card_payment_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardcustomer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_id", ""), _negated=True),
                fields=("stripe_id",),
                name="card_customer_id_once",
            ),
        ),
    ]
