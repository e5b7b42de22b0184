"""Create firm quotes; let offers have units held, and trades and leases come from a quote instead of a round."""

import datetime

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import accounts.foundation.ids
import exchange.quotes.rules


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_add_invitations"),
        ("billing", "0005_load_fees_and_tax_rates"),
        ("catalog", "0003_guard_tables"),
        ("exchange", "0006_drop_instant_prices_below_reserves"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Quote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("accepted", "accepted"),
                            ("expired", "expired"),
                            ("withdrawn", "withdrawn"),
                        ],
                        max_length=16,
                    ),
                ),
                ("quantity", models.PositiveIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("unit_hours", models.PositiveBigIntegerField()),
                ("single_site", models.BooleanField(default=False)),
                ("needs", models.JSONField(blank=True, default=dict)),
                ("currency", models.CharField(max_length=3)),
                ("budget_minor", models.BigIntegerField(blank=True, null=True)),
                ("value_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField()),
                ("tax_minor", models.BigIntegerField()),
                ("terms_version", models.PositiveIntegerField()),
                ("fee_version", models.PositiveIntegerField()),
                ("buyer_fee_ppm", models.PositiveIntegerField()),
                ("tax_rate_ppm", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="QuoteLine",
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
            ],
        ),
        migrations.CreateModel(
            name="QuotePart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("price_micros", models.BigIntegerField()),
                ("reserve_micros", models.BigIntegerField()),
                ("value_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField()),
                ("tax_minor", models.BigIntegerField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="offer",
            name="exchange_offer_hours_add_up",
        ),
        migrations.RemoveConstraint(
            model_name="offer",
            name="exchange_offer_prices_not_negative",
        ),
        migrations.RemoveConstraint(
            model_name="offerslot",
            name="exchange_offerslot_never_oversold",
        ),
        migrations.RemoveConstraint(
            model_name="trade",
            name="trade_order_kind_is_known",
        ),
        migrations.AddField(
            model_name="market",
            name="quote_seconds",
            field=models.PositiveIntegerField(default=120),
        ),
        migrations.AddField(
            model_name="market",
            name="quoted_unit_hours_at_most",
            field=models.BigIntegerField(default=10000),
        ),
        migrations.AddField(
            model_name="market",
            name="quotes_at_once",
            field=models.PositiveIntegerField(default=3),
        ),
        migrations.AddField(
            model_name="offer",
            name="held_unit_hours",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="offerrevision",
            name="instant_price_micros",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="offerslot",
            name="held",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="lease",
            name="round",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="leases",
                to="exchange.round",
            ),
        ),
        migrations.AlterField(
            model_name="trade",
            name="order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="trades",
                to="exchange.order",
            ),
        ),
        migrations.AlterField(
            model_name="trade",
            name="order_kind",
            field=models.CharField(blank=True, default="", max_length=16),
        ),
        migrations.AlterField(
            model_name="trade",
            name="order_limit_micros",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="trade",
            name="round",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="trades",
                to="exchange.round",
            ),
        ),
        migrations.AddConstraint(
            model_name="market",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quote_seconds__gte", 60), ("quote_seconds__lte", 300), ("quoted_unit_hours_at_most__gte", 1)
                ),
                name="exchange_market_quotes_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_unit_hours__gte", 0),
                    ("held_unit_hours__gte", 0),
                    ("sold_unit_hours__gte", 0),
                    (
                        "total_unit_hours__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("held_unit_hours"), "+", models.F("sold_unit_hours")
                            ),
                            "+",
                            models.F("closed_unit_hours"),
                        ),
                    ),
                ),
                name="exchange_offer_hours_add_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reserve_micros__gte", 0),
                    models.Q(
                        ("instant_price_micros__isnull", True),
                        ("instant_price_micros__gte", models.F("reserve_micros")),
                        _connector="OR",
                    ),
                ),
                name="exchange_offer_prices_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="offerslot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("held__gte", 0),
                    (
                        "quantity__gte",
                        django.db.models.expressions.CombinedExpression(models.F("held"), "+", models.F("sold")),
                    ),
                    ("sold__gte", 0),
                ),
                name="exchange_offerslot_never_oversold",
            ),
        ),
        migrations.AddField(
            model_name="quote",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="quotes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="quote",
            name="buyer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="quotes", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="quote",
            name="hold",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="quote",
                to="billing.hold",
            ),
        ),
        migrations.AddField(
            model_name="quote",
            name="market",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="quotes", to="exchange.market"
            ),
        ),
        migrations.AddField(
            model_name="quote",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="quotes", to="accounts.project"
            ),
        ),
        migrations.AddField(
            model_name="trade",
            name="quote",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="trades",
                to="exchange.quote",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.UniqueConstraint(fields=("quote", "offer", "starts_at"), name="trade_once_per_quote"),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("order__isnull", False),
                        ("order_limit_micros__isnull", False),
                        ("quote__isnull", True),
                        ("round__isnull", False),
                        models.Q(("order_kind", ""), _negated=True),
                    ),
                    models.Q(
                        ("order__isnull", True),
                        ("order_kind", ""),
                        ("order_limit_micros__isnull", True),
                        ("quote__isnull", False),
                        ("round__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="trade_of_a_round_or_a_quote",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(("order_kind__in", ["", "block", "hourly"])), name="trade_order_kind_is_known"
            ),
        ),
        migrations.AddField(
            model_name="quotepart",
            name="offer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="quote_parts", to="exchange.offer"
            ),
        ),
        migrations.AddField(
            model_name="quotepart",
            name="quote",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="exchange.quote"
            ),
        ),
        migrations.AddField(
            model_name="quoteline",
            name="part",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="exchange.quotepart"
            ),
        ),
        migrations.AddIndex(
            model_name="quote",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)), fields=["expires_at"], name="quote_open"
            ),
        ),
        migrations.AddIndex(
            model_name="quote",
            index=models.Index(fields=["buyer", "-id"], name="quote_of_buyer"),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "accepted", "expired", "withdrawn"])),
                name="quote_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("status", exchange.quotes.rules.QuoteStatus["OPEN"])),
                    models.Q(
                        models.Q(("status", exchange.quotes.rules.QuoteStatus["OPEN"]), _negated=True),
                        ("closed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="quote_closed_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("hold__isnull", False), ("status", exchange.quotes.rules.QuoteStatus["ACCEPTED"])),
                    models.Q(
                        models.Q(("status", exchange.quotes.rules.QuoteStatus["ACCEPTED"]), _negated=True),
                        ("hold__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="quote_accepted_holds_funds",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", exchange.quotes.rules.QuoteStatus["ACCEPTED"]), _negated=True),
                    ("closed_at__lt", models.F("expires_at")),
                    _connector="OR",
                ),
                name="quote_accepted_in_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", exchange.quotes.rules.QuoteStatus["EXPIRED"]), _negated=True),
                    ("closed_at__gte", models.F("expires_at")),
                    _connector="OR",
                ),
                name="quote_expired_in_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1), ("unit_hours__gte", 1)), name="quote_asks_for_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("starts_at__lt", models.F("ends_at")),
                ),
                name="quote_window_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("created_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("expires_at__gt", models.F("created_at")),
                    ("expires_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="quote_times_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fee_minor__gte", 0),
                    ("tax_minor__gte", 0),
                    ("value_minor__gte", 0),
                    models.Q(
                        ("budget_minor__isnull", True),
                        (
                            "budget_minor__gte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("value_minor"), "+", models.F("fee_minor")
                                ),
                                "+",
                                models.F("tax_minor"),
                            ),
                        ),
                        _connector="OR",
                    ),
                ),
                name="quote_within_its_budget",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="quote_currency_is_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="quotepart",
            constraint=models.UniqueConstraint(fields=("quote", "offer"), name="quote_part_once"),
        ),
        migrations.AddConstraint(
            model_name="quotepart",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_micros__gte", models.F("reserve_micros")), ("reserve_micros__gte", 0)),
                name="quote_part_pays_the_reserve",
            ),
        ),
        migrations.AddConstraint(
            model_name="quotepart",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee_minor__gte", 0), ("tax_minor__gte", 0), ("value_minor__gte", 0)),
                name="quote_part_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="quoteline",
            constraint=models.UniqueConstraint(fields=("part", "starts_at"), name="quote_line_once"),
        ),
        migrations.AddConstraint(
            model_name="quoteline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1)), name="quote_line_holds_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="quoteline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__lt", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("starts_at__gte", datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("starts_at__lt", models.F("ends_at")),
                ),
                name="quote_line_window_in_order",
            ),
        ),
    ]
