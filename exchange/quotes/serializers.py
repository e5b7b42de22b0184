"""Shapes of quotes."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.fields import StrictBoolean, StrictDateTime, StrictInteger, StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PriceOut
from billing.ledger.serializers import MoneyInput, MoneyOut, money
from catalog.offerings.needs import Needs
from exchange.markets.models import Market
from exchange.markets.rules import MAX_QUANTITY, QUOTE_SECONDS
from exchange.orders.rules import MAX_AMOUNT_MINOR
from exchange.orders.serializers import NEEDS_SCHEMA, NeedsInput, minor
from exchange.quotes.models import Quote, QuoteLine
from exchange.quotes.rules import QuoteSpec


class QuoteLineOut(OutputSerializer):
    """A run of hours from one offering at its instant price, per unit-hour without fee and tax.

    The credits are what of the price comes back for units handed back before their time, and for paused hours.
    """

    offering = SpelledId("ofr", source="part.offer.offering_id")
    site = serializers.CharField(source="part.offer.offering.site.code")
    provider = SpelledId("org", source="part.offer.provider_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField()
    price = PriceOut(source="part.price_micros")
    return_credit_ppm = serializers.IntegerField(source="part.offer.return_credit_ppm", allow_null=True)
    pause_credit_ppm = serializers.IntegerField(source="part.offer.pause_credit_ppm", allow_null=True)
    resale_commission_ppm = serializers.IntegerField(source="part.offer.resale_commission_ppm")


class QuoteOut(OutputSerializer):
    """A firm quote: what it is for, what it draws on, and what it costs in all; it holds its supply while open."""

    id = SpelledId("qte")
    market = serializers.CharField(source="market.code")
    buyer = SpelledId("org", source="buyer_id")
    project = SpelledId("prj", source="project_id")
    status = serializers.CharField()
    quantity = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    unit_hours = serializers.IntegerField()
    single_site = serializers.BooleanField()
    needs = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()
    currency = serializers.CharField()
    value = MoneyOut("value_minor")
    fee = MoneyOut("fee_minor")
    tax = MoneyOut("tax_minor")
    total = MoneyOut("total_minor")
    budget = serializers.SerializerMethodField()
    buyer_fee_ppm = serializers.IntegerField()
    tax_rate_ppm = serializers.IntegerField()
    fee_version = serializers.IntegerField()
    terms_version = serializers.IntegerField()
    hold = SpelledId("hld", source="hold_id", allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(NEEDS_SCHEMA)
    def get_needs(self, quote: Quote) -> dict[str, Any]:
        """Return the needs as they were asked for."""
        return dict(quote.needs)

    @extend_schema_field(QuoteLineOut(many=True))
    def get_lines(self, quote: Quote) -> list[Any]:
        """Return the lines, the cheapest part first."""
        return list(QuoteLineOut(lines_of(quote), many=True, context=self.context).data)

    @extend_schema_field({"type": ["object", "null"]})
    def get_budget(self, quote: Quote) -> dict[str, str] | None:
        """Return the budget, if there is one."""
        return None if quote.budget_minor is None else money(quote.budget_minor, quote.currency)


def lines_of(quote: Quote) -> Iterator[QuoteLine]:
    """Yield the prefetched lines of a quote with their parts."""
    for part in quote.parts.all():
        for line in part.lines.all():
            line.part = part
            yield line


class AskQuote(InputSerializer):
    """A rectangle of units and hours to be quoted. Without `valid_seconds` the market's validity holds."""

    market = StrictText(max_length=40)
    project = TypedId("prj", required=False, default=None)
    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY)
    starts_at = StrictDateTime()
    ends_at = StrictDateTime()
    single_site = StrictBoolean(required=False, default=False)
    needs = NeedsInput(required=False)
    budget = MoneyInput(max_minor=MAX_AMOUNT_MINOR, required=False)
    valid_seconds = StrictInteger(min_value=QUOTE_SECONDS[0], max_value=QUOTE_SECONDS[1], required=False, default=None)

    @staticmethod
    def spec(values: dict[str, Any], market: Market) -> QuoteSpec:
        """Return the validated fields as what is asked for; raises Invalid for another currency."""
        return QuoteSpec(
            market_id=market.id,
            quantity=values["quantity"],
            starts_at=values["starts_at"],
            ends_at=values["ends_at"],
            needs=values.get("needs", Needs()),
            single_site=values["single_site"],
            budget_minor=minor(values.get("budget"), market.currency, pointer="/budget"),
            project_id=values["project"],
            valid_seconds=values["valid_seconds"],
        )
