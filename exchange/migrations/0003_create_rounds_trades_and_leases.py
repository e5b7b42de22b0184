"""Create rounds with their documents, trades, leases and what was delivered."""

import datetime

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

import accounts.foundation.ids
import accounts.organisations.models
import exchange.auctions.rules
import exchange.leases.rules
import exchange.orders.rules
import exchange.rounds.rules


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guard_tables"),
        ("billing", "0005_load_fees_and_tax_rates"),
        ("catalog", "0003_guard_tables"),
        ("exchange", "0002_guard_the_book"),
    ]

    operations = [
        migrations.CreateModel(
            name="Round",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scheduled_at", models.DateTimeField()),
                ("locks_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("locked", "locked"),
                            ("gated", "gated"),
                            ("clearing", "clearing"),
                            ("cleared", "cleared"),
                            ("published", "published"),
                            ("void", "void"),
                        ],
                        max_length=16,
                    ),
                ),
                ("degraded", models.BooleanField(default=False)),
                ("rules_version", models.PositiveIntegerField()),
                ("void_reason", models.CharField(blank=True, default="", max_length=500)),
                ("late_seconds", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("locked_at", models.DateTimeField(null=True)),
                ("gated_at", models.DateTimeField(null=True)),
                ("cleared_at", models.DateTimeField(null=True)),
                ("published_at", models.DateTimeField(null=True)),
                ("voided_at", models.DateTimeField(null=True)),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rounds", to="exchange.market"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["market", "status", "scheduled_at"], name="round_by_market_and_status"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("market", "scheduled_at"), name="round_once_per_gate"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["open", "locked", "gated", "clearing", "cleared", "published", "void"])
                        ),
                        name="round_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("locks_at__lte", models.F("scheduled_at"))),
                        name="round_locks_before_its_gate",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scheduled_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("scheduled_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="round_gate_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status", exchange.rounds.rules.RoundStatus["VOID"]), ("voided_at__isnull", False)
                            ),
                            models.Q(
                                models.Q(("status", exchange.rounds.rules.RoundStatus["VOID"]), _negated=True),
                                ("voided_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="round_void_has_its_instant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", exchange.rounds.rules.RoundStatus["VOID"]), _negated=True),
                            models.Q(("void_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="round_void_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", exchange.rounds.rules.RoundStatus["PUBLISHED"]), _negated=True),
                            ("published_at__isnull", False),
                            _connector="OR",
                        ),
                        name="round_published_has_its_instant",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    exchange.rounds.rules.RoundStatus["GATED"],
                                    exchange.rounds.rules.RoundStatus["CLEARING"],
                                    exchange.rounds.rules.RoundStatus["CLEARED"],
                                ],
                            )
                        ),
                        fields=("market",),
                        name="round_one_in_progress",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("quantity", models.PositiveIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "scheduled"),
                            ("acknowledged", "acknowledged"),
                            ("provisioning", "provisioning"),
                            ("active", "active"),
                            ("impaired", "impaired"),
                            ("ended", "ended"),
                            ("failed", "failed"),
                            ("replaced", "replaced"),
                        ],
                        max_length=16,
                    ),
                ),
                ("end_reason", models.CharField(blank=True, default="", max_length=32)),
                ("access_sealed", models.BinaryField(null=True)),
                ("acknowledge_by", models.DateTimeField()),
                ("scheduled_at", models.DateTimeField()),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("activated_at", models.DateTimeField(null=True)),
                ("last_heartbeat_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("acknowledgement_alarm_at", models.DateTimeField(null=True)),
                ("activation_alarm_at", models.DateTimeField(null=True)),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leases_bought",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leases", to="billing.contract"
                    ),
                ),
                (
                    "metering_point",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lease", to="billing.meteringpoint"
                    ),
                ),
                (
                    "offering",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leases", to="catalog.offering"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leases_sold",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leases", to="exchange.round"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["buyer", "-id"], name="lease_of_buyer"),
                    models.Index(fields=["provider", "-id"], name="lease_of_provider"),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)), fields=["ends_at"], name="lease_not_closed"
                    ),
                ],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("status", exchange.leases.rules.LeaseStatus["REPLACED"]), _negated=True),
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
                        name="lease_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "scheduled",
                                    "acknowledged",
                                    "provisioning",
                                    "active",
                                    "impaired",
                                    "ended",
                                    "failed",
                                    "replaced",
                                ],
                            )
                        ),
                        name="lease_status_is_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="lease_quantity_positive"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                        ),
                        name="lease_window_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("buyer", models.F("provider")), _negated=True), name="lease_has_two_parties"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "end_reason__in",
                                    ["completed", "provider_failure", "never_activated", "heartbeat_lost", "operator"],
                                ),
                                ("ended_at__isnull", False),
                                ("status__in", ("ended", "failed", "replaced")),
                            ),
                            models.Q(
                                models.Q(("status__in", ("ended", "failed", "replaced")), _negated=True),
                                ("end_reason", ""),
                                ("ended_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="lease_over_says_when_and_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["scheduled", "acknowledged", "provisioning", "ended", "failed", "replaced"],
                            ),
                            models.Q(("access_sealed__isnull", False), ("activated_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="lease_runs_with_access",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("closed_at__isnull", True), ("ended_at__isnull", False), _connector="OR"),
                        name="lease_closed_when_over",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scheduled_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("scheduled_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="lease_scheduled_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoundOrder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("locked", "locked"), ("settled", "settled"), ("released", "released")], max_length=16
                    ),
                ),
                ("filled_unit_hours", models.BigIntegerField(default=0)),
                ("surplus_micros", models.DecimalField(decimal_places=0, default=0, max_digits=30)),
                ("created_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rounds", to="exchange.order"
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="exchange.round"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("round", "order"), name="round_order_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["locked", "settled", "released"])),
                        name="round_order_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_at__isnull", True), ("state", exchange.auctions.rules.EntryState["LOCKED"])
                            ),
                            models.Q(
                                models.Q(("state", exchange.auctions.rules.EntryState["LOCKED"]), _negated=True),
                                ("settled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="round_order_settled_has_its_instant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("filled_unit_hours__gte", 0)), name="round_order_fill_not_negative"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", exchange.auctions.rules.EntryState["LOCKED"])),
                        fields=("order",),
                        name="round_order_locked_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoundPrice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("cell", models.CharField(max_length=120)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("price_micros", models.BigIntegerField()),
                ("traded_unit_hours", models.BigIntegerField()),
                ("published_at", models.DateTimeField()),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="exchange.market"
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="exchange.round"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["market", "cell", "starts_at"], name="round_price_of_cell"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("round", "cell", "starts_at"), name="round_price_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                        ),
                        name="round_price_window_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_micros__gte", 0), ("traded_unit_hours__gte", 0)),
                        name="round_price_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Trade",
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
                ("unit_hours", models.PositiveBigIntegerField()),
                ("price_micros", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("order_kind", models.CharField(max_length=16)),
                ("order_limit_micros", models.BigIntegerField()),
                ("offer_reserve_micros", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchases",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trades", to="billing.contract"
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trades", to="exchange.market"
                    ),
                ),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trades", to="exchange.offer"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trades", to="exchange.order"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sales", to="accounts.organisation"
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trades", to="exchange.round"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["buyer", "-id"], name="trade_of_buyer"),
                    models.Index(fields=["provider", "-id"], name="trade_of_provider"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("round", "order", "offer", "starts_at"), name="trade_once"),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 1), ("unit_hours__gte", 1)), name="trade_moves_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__lt", models.F("ends_at")),
                        ),
                        name="trade_window_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="trade_created_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("buyer", models.F("provider")), _negated=True), name="trade_has_two_parties"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("offer_reserve_micros__gte", 0), ("price_micros__gte", models.F("offer_reserve_micros"))
                        ),
                        name="trade_pays_the_reserve",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("order_kind", exchange.orders.rules.OrderKind["HOURLY"]), _negated=True),
                            ("price_micros__lte", models.F("order_limit_micros")),
                            _connector="OR",
                        ),
                        name="trade_within_the_limit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("order_kind__in", ["block", "hourly"])), name="trade_order_kind_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveredSegment",
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
                ("dispute_deadline", models.DateTimeField()),
                (
                    "lease",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delivered_segments",
                        to="exchange.lease",
                    ),
                ),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (models.F("lease"), "="),
                            (
                                accounts.organisations.models.TimeRange(
                                    "starts_at", "ends_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="delivered_segment_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("dispute_deadline__gt", models.F("ends_at")), ("starts_at__lt", models.F("ends_at"))
                        ),
                        name="delivered_segment_times_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("dispute_deadline__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="delivered_segment_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoundOutcome",
            fields=[
                (
                    "round",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="outcome",
                        serialize=False,
                        to="exchange.round",
                    ),
                ),
                ("snapshot_digest", models.CharField(max_length=64)),
                ("text", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("certificate", models.TextField()),
                ("engine_version", models.CharField(max_length=100)),
                ("rules_version", models.PositiveIntegerField()),
                ("welfare_micros", models.DecimalField(decimal_places=0, max_digits=30)),
                ("bound_micros", models.DecimalField(decimal_places=0, max_digits=30)),
                ("record", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("bound_micros__gte", models.F("welfare_micros"))),
                        name="outcome_bound_holds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("welfare_micros__gte", 0)), name="outcome_welfare_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoundSnapshot",
            fields=[
                (
                    "round",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="snapshot",
                        serialize=False,
                        to="exchange.round",
                    ),
                ),
                ("text", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("salt", models.BinaryField(max_length=32)),
                ("gate_seq", models.BigIntegerField()),
                ("first_slot", models.IntegerField()),
                ("end_slot", models.IntegerField()),
                ("left_out", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first_slot__lte", models.F("end_slot"))),
                        name="snapshot_horizon_is_ordered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("gate_seq__gte", 0)), name="snapshot_gate_seq_not_negative"
                    ),
                ],
            },
        ),
    ]
