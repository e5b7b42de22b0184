"""Create contracts, usage, charges and invoices; usage events in eight partitions from the start."""

import datetime
from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import accounts.foundation.ids
import accounts.organisations.models
import billing.contracts.rules
import billing.contracts.terms
import billing.invoices.rules
import billing.rating.bills
import billing.rating.charges

# Partitioned by the whole primary key: reports spread evenly, and a look-up by key opens one partition.
USAGE_EVENTS = """
CREATE TABLE billing_usageevent (
    organisation_id uuid NOT NULL REFERENCES accounts_organisation (id) DEFERRABLE INITIALLY DEFERRED,
    source varchar(200) NOT NULL CHECK (source <> ''),
    event_id varchar(200) NOT NULL CHECK (event_id <> ''),
    id uuid NOT NULL,
    kind varchar(16) NOT NULL CONSTRAINT usage_event_kind_known CHECK (kind IN ('segment', 'reading', 'reversal')),
    metering_point_id uuid NOT NULL REFERENCES billing_meteringpoint (id) DEFERRABLE INITIALLY DEFERRED,
    contract_id uuid NOT NULL REFERENCES billing_contract (id) DEFERRABLE INITIALLY DEFERRED,
    project_id uuid NOT NULL REFERENCES accounts_project (id) DEFERRABLE INITIALLY DEFERRED,
    meter varchar(32) NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    quantity numeric(24, 9),
    reverses_source varchar(200) NOT NULL,
    reverses_event_id varchar(200) NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    payload text NOT NULL,
    payload_hash varchar(64) NOT NULL,
    PRIMARY KEY (organisation_id, source, event_id),
    CONSTRAINT usage_event_quantity_of_its_kind CHECK (
        CASE WHEN kind = 'reversal'
            THEN quantity IS NULL AND reverses_source <> '' AND reverses_event_id <> ''
            ELSE quantity >= 0 AND quantity <> 'NaN' AND quantity IS NOT NULL
                AND reverses_source = '' AND reverses_event_id = ''
        END
    ),
    CONSTRAINT usage_event_segments_are_whole CHECK (kind <> 'segment' OR (quantity = trunc(quantity) AND meter = '')),
    CONSTRAINT usage_event_readings_name_their_meter CHECK (kind <> 'reading' OR meter <> ''),
    CONSTRAINT usage_event_interval_not_empty CHECK (starts_at < ends_at),
    CONSTRAINT usage_event_neither_early_nor_old CHECK (
        occurred_at <= received_at + interval '5 minutes' AND occurred_at >= received_at - interval '35 days'
        AND ends_at <= received_at + interval '5 minutes'
    ),
    CONSTRAINT usage_event_times_in_range CHECK (
        starts_at >= '2020-01-01 00:00:00+00' AND ends_at < '2100-01-01 00:00:00+00'
        AND received_at >= '2020-01-01 00:00:00+00' AND received_at < '2100-01-01 00:00:00+00'
    ),
    CONSTRAINT usage_event_hash_shape CHECK (payload_hash ~ '^[0-9a-f]{64}$')
) PARTITION BY HASH (organisation_id, source, event_id);
CREATE INDEX usage_event_of_contract ON billing_usageevent (contract_id, id);
CREATE INDEX usage_event_of_point ON billing_usageevent (metering_point_id, starts_at);
CREATE INDEX usage_event_by_id ON billing_usageevent (id);
"""
USAGE_PARTITIONS = "".join(
    f"CREATE TABLE billing_usageevent_p{n} PARTITION OF billing_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER {n});"
    for n in range(8)
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guard_tables"),
        ("billing", "0002_guard_the_books"),
        ("catalog", "0003_guard_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageReversal",
            fields=[
                ("reversed_id", models.UUIDField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="Contract",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source_type", models.CharField(max_length=32)),
                ("source_id", models.UUIDField()),
                ("market_code", models.CharField(max_length=40)),
                ("currency", models.CharField(max_length=3)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("merchant_of_record", models.CharField(max_length=16)),
                ("fee_version", models.PositiveIntegerField()),
                ("terms", models.JSONField()),
                ("terms_digest", models.CharField(max_length=64)),
                ("value_minor", models.BigIntegerField()),
                ("share_minor", models.BigIntegerField()),
                ("synthetic", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(default=billing.contracts.rules.ContractStatus["SCHEDULED"], max_length=16),
                ),
                ("terminated_reason", models.CharField(blank=True, max_length=32)),
                ("held_minor", models.BigIntegerField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts_bought",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="billing.hold",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contracts", to="accounts.project"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts_sold",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["buyer", "-id"], name="billing_contract_of_buyer"),
                    models.Index(fields=["provider", "-id"], name="billing_contract_of_provider"),
                    models.Index(fields=["status", "ends_at"], name="billing_contract_by_end"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source_type", "source_id", "provider"), name="contract_one_per_source_and_provider"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source_type", ""), _negated=True), name="contract_names_its_source"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("buyer", models.F("provider")), _negated=True),
                        name="contract_parties_differ",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="contract_currency_is_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    billing.contracts.rules.ContractStatus["SCHEDULED"],
                                    billing.contracts.rules.ContractStatus["ACTIVE"],
                                    billing.contracts.rules.ContractStatus["PAUSED"],
                                    billing.contracts.rules.ContractStatus["ENDED"],
                                    billing.contracts.rules.ContractStatus["SETTLED"],
                                    billing.contracts.rules.ContractStatus["TERMINATED"],
                                ],
                            )
                        ),
                        name="contract_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "merchant_of_record__in",
                                [
                                    billing.contracts.terms.MerchantOfRecord["EXCHANGE"],
                                    billing.contracts.terms.MerchantOfRecord["PROVIDER"],
                                ],
                            )
                        ),
                        name="contract_merchant_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("terminated_reason", ""),
                                models.Q(
                                    ("status", billing.contracts.rules.ContractStatus["TERMINATED"]), _negated=True
                                ),
                            ),
                            models.Q(
                                (
                                    "terminated_reason__in",
                                    [
                                        billing.contracts.rules.TerminationReason["PROVIDER_FAILURE"],
                                        billing.contracts.rules.TerminationReason["BUYER_DEFAULT"],
                                        billing.contracts.rules.TerminationReason["MUTUAL"],
                                        billing.contracts.rules.TerminationReason["OPERATOR"],
                                    ],
                                ),
                                (
                                    "status__in",
                                    [
                                        billing.contracts.rules.ContractStatus["TERMINATED"],
                                        billing.contracts.rules.ContractStatus["SETTLED"],
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="contract_terminated_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("terms_digest__regex", "^[0-9a-f]{64}$")), name="contract_digest_shape"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("held_minor__gte", 0),
                            ("share_minor__gte", models.F("value_minor")),
                            ("value_minor__gte", 0),
                            ("held_minor__lte", models.F("share_minor")),
                        ),
                        name="contract_held_within_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hold__isnull", False), ("held_minor", 0), _connector="OR"),
                        name="contract_holds_by_its_hold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", True),
                                (
                                    "status__in",
                                    [
                                        billing.contracts.rules.ContractStatus["SCHEDULED"],
                                        billing.contracts.rules.ContractStatus["ACTIVE"],
                                        billing.contracts.rules.ContractStatus["PAUSED"],
                                    ],
                                ),
                            ),
                            models.Q(
                                ("ended_at__isnull", False),
                                (
                                    "status__in",
                                    [
                                        billing.contracts.rules.ContractStatus["ENDED"],
                                        billing.contracts.rules.ContractStatus["TERMINATED"],
                                        billing.contracts.rules.ContractStatus["SETTLED"],
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="contract_ended_when_over",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_at__isnull", True),
                                models.Q(("status", billing.contracts.rules.ContractStatus["SETTLED"]), _negated=True),
                            ),
                            models.Q(
                                ("held_minor", 0),
                                ("settled_at__isnull", False),
                                ("status", billing.contracts.rules.ContractStatus["SETTLED"]),
                            ),
                            _connector="OR",
                        ),
                        name="contract_settled_holds_nothing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            models.Q(
                                ("ended_at__isnull", True),
                                ("ended_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                _connector="OR",
                            ),
                            models.Q(
                                ("settled_at__isnull", True),
                                ("settled_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                _connector="OR",
                            ),
                        ),
                        name="contract_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractSlot",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("quantity", models.PositiveIntegerField()),
                ("unit", models.CharField(max_length=32)),
                ("price_micros", models.BigIntegerField()),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="slots", to="billing.contract"
                    ),
                ),
                (
                    "offering",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_slots",
                        to="catalog.offering",
                    ),
                ),
            ],
            options={
                "ordering": ("contract", "offering", "starts_at"),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (models.F("contract"), "="),
                            (models.F("offering"), "="),
                            (
                                accounts.organisations.models.TimeRange(
                                    "starts_at", "ends_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="contract_slot_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="contract_slot_quantity_above_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_micros__gte", 0)), name="contract_slot_price_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                        ),
                        name="contract_slot_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("usage_event_id", models.UUIDField(null=True)),
                ("n", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("unit", models.CharField(max_length=32)),
                ("price_micros", models.BigIntegerField()),
                ("base_quantity", models.BigIntegerField()),
                ("raw_quantity", models.DecimalField(decimal_places=9, max_digits=38)),
                ("raw_per_unit", models.PositiveIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("rated_at", models.DateTimeField()),
                (
                    "offering",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="catalog.offering"
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="billing.charge",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="billing.contract"
                    ),
                ),
                (
                    "slot",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="billing.contractslot",
                    ),
                ),
            ],
            options={
                "ordering": ("contract", "id"),
                "indexes": [
                    models.Index(fields=["contract", "id"], name="charge_of_contract"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("usage_event_id", "n"), name="charge_once_per_event"),
                    models.UniqueConstraint(
                        condition=models.Q(("usage_event_id__isnull", True)),
                        fields=("slot", "starts_at"),
                        name="charge_gap_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    billing.rating.charges.ChargeKind["DELIVERED"],
                                    billing.rating.charges.ChargeKind["UNDELIVERED"],
                                    billing.rating.charges.ChargeKind["METERED"],
                                ],
                            )
                        ),
                        name="charge_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("raw_quantity__gte", 0),
                            models.Q(("raw_quantity__lt", 0), ("reverses__isnull", False)),
                            _connector="OR",
                        ),
                        name="charge_negative_only_reverses",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("raw_quantity__lt", Decimal(100000000000000000000000000000))),
                        name="charge_quantity_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("base_quantity__gt", 0), ("price_micros__gte", 0), ("raw_per_unit__gt", 0)),
                        name="charge_price_shape",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", billing.rating.charges.ChargeKind["METERED"]), ("slot__isnull", True)),
                            models.Q(
                                models.Q(("kind", billing.rating.charges.ChargeKind["METERED"]), _negated=True),
                                ("slot__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="charge_capacity_has_its_slot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("usage_event_id__isnull", False),
                            ("kind", billing.rating.charges.ChargeKind["UNDELIVERED"]),
                            _connector="OR",
                        ),
                        name="charge_without_event_is_undelivered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                            ("rated_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("rated_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="charge_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeeSchedule",
            fields=[
                ("version", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("buyer_fee_ppm", models.PositiveIntegerField()),
                ("provider_commission_ppm", models.PositiveIntegerField()),
                ("effective_from", models.DateTimeField(unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("buyer_fee_ppm__lte", 1000000), ("provider_commission_ppm__lte", 1000000)),
                        name="fee_schedule_within_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effective_from__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("effective_from__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="fee_schedule_time_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=24)),
                ("reason", models.CharField(max_length=16)),
                ("contract_n", models.PositiveIntegerField()),
                ("side", models.CharField(max_length=16)),
                ("series", models.CharField(max_length=8)),
                ("year", models.PositiveSmallIntegerField(null=True)),
                ("n", models.PositiveIntegerField(null=True)),
                ("number", models.CharField(blank=True, max_length=24)),
                ("currency", models.CharField(max_length=3)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("cutoff_at", models.DateTimeField()),
                ("net_minor", models.BigIntegerField()),
                ("tax_minor", models.BigIntegerField()),
                ("total_minor", models.BigIntegerField()),
                ("rounding", models.CharField(max_length=16)),
                ("seller", models.JSONField()),
                ("buyer", models.JSONField()),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("issued_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("synthetic", models.BooleanField(default=False)),
                ("status", models.CharField(default=billing.invoices.rules.InvoiceStatus["DRAFT"], max_length=16)),
                ("paid_minor", models.BigIntegerField(default=0)),
                ("credited_minor", models.BigIntegerField(default=0)),
                ("written_off_minor", models.BigIntegerField(default=0)),
                ("paid_at", models.DateTimeField(null=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="billing.contract"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="accounts.organisation"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="accounts.project",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["organisation", "side", "-id"], name="billing_invoice_of_org"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("series", "year", "n"), name="invoice_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("number", ""), _negated=True),
                        fields=("number",),
                        name="invoice_number_text_once",
                    ),
                    models.UniqueConstraint(
                        fields=("contract", "side", "contract_n"), name="invoice_place_in_contract"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reason", billing.invoices.rules.Reason["CONTRACT_END"])),
                        fields=("contract", "side"),
                        name="invoice_one_at_contract_end",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reason", billing.invoices.rules.Reason["MONTH_END"])),
                        fields=("contract", "side", "cutoff_at"),
                        name="invoice_one_a_month",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    billing.invoices.rules.InvoiceKind["CUSTOMER"],
                                    billing.invoices.rules.InvoiceKind["CREDIT_NOTE"],
                                    billing.invoices.rules.InvoiceKind["PROVIDER_STATEMENT"],
                                ],
                            )
                        ),
                        name="invoice_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    billing.invoices.rules.Reason["CONTRACT_END"],
                                    billing.invoices.rules.Reason["MONTH_END"],
                                    billing.invoices.rules.Reason["ON_DEMAND"],
                                ],
                            )
                        ),
                        name="invoice_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    billing.invoices.rules.InvoiceStatus["DRAFT"],
                                    billing.invoices.rules.InvoiceStatus["ISSUED"],
                                    billing.invoices.rules.InvoiceStatus["PAID"],
                                    billing.invoices.rules.InvoiceStatus["PAST_DUE"],
                                    billing.invoices.rules.InvoiceStatus["DISPUTED"],
                                    billing.invoices.rules.InvoiceStatus["WRITTEN_OFF"],
                                ],
                            )
                        ),
                        name="invoice_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", billing.invoices.rules.InvoiceKind["PROVIDER_STATEMENT"]),
                                ("side", billing.invoices.rules.Side["PROVIDER"]),
                            ),
                            models.Q(
                                (
                                    "kind__in",
                                    [
                                        billing.invoices.rules.InvoiceKind["CUSTOMER"],
                                        billing.invoices.rules.InvoiceKind["CREDIT_NOTE"],
                                    ],
                                ),
                                ("side", billing.invoices.rules.Side["CUSTOMER"]),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_kind_is_of_its_side",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="invoice_currency_is_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("net_minor"), "+", models.F("tax_minor")
                                ),
                            )
                        ),
                        name="invoice_total_is_net_and_tax",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", billing.invoices.rules.InvoiceKind["CUSTOMER"]), ("total_minor__gte", 0)),
                            models.Q(
                                ("kind", billing.invoices.rules.InvoiceKind["CREDIT_NOTE"]), ("total_minor__lt", 0)
                            ),
                            ("kind", billing.invoices.rules.InvoiceKind["PROVIDER_STATEMENT"]),
                            _connector="OR",
                        ),
                        name="invoice_sign_is_of_its_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("issued_at__isnull", True),
                                ("n__isnull", True),
                                ("number", ""),
                                ("status", billing.invoices.rules.InvoiceStatus["DRAFT"]),
                            ),
                            models.Q(
                                models.Q(("status", billing.invoices.rules.InvoiceStatus["DRAFT"]), _negated=True),
                                models.Q(("number", ""), _negated=True),
                                ("digest__regex", "^[0-9a-f]{64}$"),
                                ("issued_at__isnull", False),
                                ("n__gt", 0),
                                ("year__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_numbered_when_issued",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credited_minor__gte", 0),
                            ("paid_minor__gte", 0),
                            ("written_off_minor__gte", 0),
                            models.Q(
                                (
                                    "total_minor__gte",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("paid_minor"), "+", models.F("credited_minor")
                                        ),
                                        "+",
                                        models.F("written_off_minor"),
                                    ),
                                ),
                                models.Q(
                                    ("credited_minor", 0),
                                    ("paid_minor", 0),
                                    ("total_minor__lt", 0),
                                    ("written_off_minor", 0),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="invoice_not_paid_beyond_total",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("paid_at__isnull", False), ("status", billing.invoices.rules.InvoiceStatus["PAID"])
                            ),
                            models.Q(
                                models.Q(("status", billing.invoices.rules.InvoiceStatus["PAID"]), _negated=True),
                                ("paid_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_paid_since",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("period_end__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("period_start__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("period_start__lt", models.F("period_end")),
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            models.Q(
                                ("issued_at__isnull", True),
                                models.Q(
                                    ("issued_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                    ("issued_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("due_at__isnull", True),
                                models.Q(
                                    ("due_at__gte", models.F("issued_at")),
                                    ("due_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="invoice_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceCounter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("series", models.CharField(max_length=8)),
                ("year", models.PositiveSmallIntegerField()),
                ("last", models.PositiveIntegerField(default=0)),
                ("last_issued_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("series", "year"), name="invoice_counter_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("n", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("description", models.CharField(max_length=300)),
                ("unit", models.CharField(max_length=32)),
                ("quantity", models.DecimalField(decimal_places=9, max_digits=38)),
                ("raw_quantity", models.DecimalField(decimal_places=9, max_digits=38)),
                ("raw_per_unit", models.PositiveIntegerField()),
                ("price_micros", models.BigIntegerField(null=True)),
                ("base_quantity", models.BigIntegerField(default=1)),
                ("share_ppm", models.PositiveIntegerField(null=True)),
                ("share_base_minor", models.BigIntegerField(null=True)),
                ("amount_minor", models.BigIntegerField()),
                ("tax_category", models.CharField(max_length=2)),
                ("tax_rate_ppm", models.PositiveIntegerField()),
                ("service_start", models.DateTimeField()),
                ("service_end", models.DateTimeField()),
                ("source", models.JSONField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="billing.invoice"
                    ),
                ),
                (
                    "offering",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_lines",
                        to="catalog.offering",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_lines",
                        to="accounts.project",
                    ),
                ),
            ],
            options={
                "ordering": ("invoice", "n"),
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "n"), name="invoice_line_place"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    billing.rating.bills.LineKind["CAPACITY"],
                                    billing.rating.bills.LineKind["METERED"],
                                    billing.rating.bills.LineKind["SLA_CREDIT"],
                                    billing.rating.bills.LineKind["FEE"],
                                    billing.rating.bills.LineKind["COMMISSION"],
                                ],
                            )
                        ),
                        name="invoice_line_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("price_micros__isnull", False),
                                ("share_base_minor__isnull", True),
                                ("share_ppm__isnull", True),
                            ),
                            models.Q(
                                ("price_micros__isnull", True),
                                ("share_base_minor__isnull", False),
                                ("share_ppm__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_line_price_or_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("base_quantity__gt", 0),
                            ("quantity__lt", Decimal(100000000000000000000000000000)),
                            ("raw_per_unit__gt", 0),
                            ("raw_quantity__lt", Decimal(100000000000000000000000000000)),
                        ),
                        name="invoice_line_quantity_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("service_end__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("service_start__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("service_start__lt", models.F("service_end")),
                        ),
                        name="invoice_line_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BilledCharge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("side", models.CharField(max_length=16)),
                (
                    "charge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="billed", to="billing.charge"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="billed_charges",
                        to="billing.invoiceline",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("charge", "side"), name="billed_charge_once_a_side"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "side__in",
                                [billing.invoices.rules.Side["CUSTOMER"], billing.invoices.rules.Side["PROVIDER"]],
                            )
                        ),
                        name="billed_charge_side_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceTax",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("category", models.CharField(max_length=2)),
                ("rate_ppm", models.PositiveIntegerField()),
                ("base_minor", models.BigIntegerField()),
                ("tax_minor", models.BigIntegerField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="taxes", to="billing.invoice"
                    ),
                ),
            ],
            options={
                "ordering": ("invoice", "category", "rate_ppm"),
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "category", "rate_ppm"), name="invoice_tax_once_a_rate"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MeteringPoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reference_id", models.UUIDField(unique=True)),
                ("quantity", models.PositiveIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="metering_points",
                        to="billing.contract",
                    ),
                ),
                (
                    "offering",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="metering_points",
                        to="catalog.offering",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="metering_points",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (models.F("contract"), "="),
                            (models.F("offering"), "="),
                            (
                                accounts.organisations.models.TimeRange(
                                    "starts_at", "ends_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="metering_point_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="metering_point_quantity_above_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                            ("opened_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("opened_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            models.Q(
                                ("closed_at__isnull", True),
                                ("closed_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                _connector="OR",
                            ),
                        ),
                        name="metering_point_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AllocationSegment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("quantity", models.PositiveIntegerField()),
                ("reversed_at", models.DateTimeField(null=True)),
                (
                    "metering_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="segments", to="billing.meteringpoint"
                    ),
                ),
            ],
            options={
                "ordering": ("metering_point", "starts_at"),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("reversed_at__isnull", True)),
                        expressions=[
                            (models.F("metering_point"), "="),
                            (
                                accounts.organisations.models.TimeRange(
                                    "starts_at", "ends_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="allocation_segment_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts_at__lt", models.F("ends_at"))), name="allocation_segment_not_empty"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("jurisdiction", models.CharField(max_length=2)),
                ("category", models.CharField(max_length=2)),
                ("rate_ppm", models.PositiveIntegerField()),
                ("effective_from", models.DateTimeField()),
                ("effective_to", models.DateTimeField(null=True)),
                ("source", models.CharField(max_length=200)),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (models.F("jurisdiction"), "="),
                            (models.F("category"), "="),
                            (
                                accounts.organisations.models.TimeRange(
                                    "effective_from",
                                    "effective_to",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(),
                                ),
                                "&&",
                            ),
                        ],
                        name="tax_rate_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("category__in", ["S", "Z", "E", "AE", "O"])), name="tax_rate_category_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate_ppm__lte", 1000000)), name="tax_rate_within_whole"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("category", "S"), ("rate_ppm", 0), _connector="OR"),
                        name="tax_rate_only_standard_taxes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effective_from__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("effective_from__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            models.Q(
                                ("effective_to__isnull", True),
                                ("effective_to__gt", models.F("effective_from")),
                                _connector="OR",
                            ),
                        ),
                        name="tax_rate_times_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageConflict",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=200)),
                ("event_id", models.CharField(max_length=200)),
                ("payload", models.TextField()),
                ("payload_hash", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_conflicts",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "source", "event_id", "payload_hash"), name="usage_conflict_once"
                    ),
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(USAGE_EVENTS, "DROP TABLE billing_usageevent;"),
                migrations.RunSQL(USAGE_PARTITIONS, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="UsageEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "source",
                                "event_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("source", models.CharField(max_length=200)),
                        ("event_id", models.CharField(max_length=200)),
                        ("id", models.UUIDField(default=accounts.foundation.ids.new_id, editable=False)),
                        ("kind", models.CharField(max_length=16)),
                        ("meter", models.CharField(blank=True, max_length=32)),
                        ("starts_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField()),
                        ("quantity", models.DecimalField(decimal_places=9, max_digits=24, null=True)),
                        ("reverses_source", models.CharField(blank=True, max_length=200)),
                        ("reverses_event_id", models.CharField(blank=True, max_length=200)),
                        ("occurred_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
                        ("payload", models.TextField()),
                        ("payload_hash", models.CharField(max_length=64)),
                        (
                            "contract",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="usage_events",
                                to="billing.contract",
                            ),
                        ),
                        (
                            "metering_point",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="usage_events",
                                to="billing.meteringpoint",
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="usage_events",
                                to="accounts.organisation",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="usage_events",
                                to="accounts.project",
                            ),
                        ),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsageRejection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("detail", models.CharField(max_length=500)),
                ("pointer", models.CharField(max_length=200)),
                ("payload", models.TextField()),
                ("payload_hash", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_rejections",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["received_at"], name="usage_rejection_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "payload_hash", "code"), name="usage_rejection_once"
                    ),
                ],
            },
        ),
    ]
