"""Shapes of previews."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import ids
from accounts.web.serializers import OutputSerializer
from billing.contracts.rules import WorstCase
from billing.contracts.serializers import PriceOut
from billing.ledger.serializers import money
from catalog.measures.price import format_micros
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders.rules import OrderKind, OrderSpec
from exchange.previews import estimates, queries
from exchange.previews.book import Match
from exchange.previews.estimates import Estimate
from exchange.previews.queries import Preview, Share

_MONEY = {"type": "object", "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}}}
_COST = {"type": "object", "properties": dict.fromkeys(("value", "fee", "tax", "total"), _MONEY)}
_BODY = {"type": "object", "additionalProperties": True}
_MATCH = {
    "type": "object",
    "properties": {
        "quantity": {"type": "integer"},
        "unit_hours": {"type": "integer"},
        "starts_at": {"type": "string", "format": "date-time"},
        "ends_at": {"type": "string", "format": "date-time"},
    },
}


def body_of(market: Market, spec: OrderSpec) -> dict[str, Any]:
    """Return an order as `POST /v1/orders` takes it."""
    terms = spec.terms
    body = {
        "market": market.code,
        "project": None if spec.project_id is None else ids.spell("prj", spec.project_id),
        "kind": str(spec.kind),
        "quantity": terms.quantity_max,
        "min_quantity": terms.quantity_min,
        "hours": terms.hours,
        "earliest_at": _instant(terms.earliest_at),
        "latest_at": _instant(terms.latest_at),
        "single_site": spec.single_site,
        "needs": terms.needs.to_document(),
        "limit_price": format_micros(terms.limit_micros, decimals=6),
        "budget": None if terms.budget_minor is None else money(terms.budget_minor, market.currency),
        "extras_reserve": money(terms.extras_reserve_minor, market.currency) if terms.extras_reserve_minor else None,
        "rolls_over": terms.rolls_over,
    }
    if spec.kind is OrderKind.BLOCK and terms.quantity_min == terms.quantity_max:
        body["min_quantity"] = None  # all or none goes with the quantity
    return {name: value for name, value in body.items() if value is not None}


def _instant(instant: Any) -> str:
    return str(serializers.DateTimeField().to_representation(instant))


def cost(worst: WorstCase, currency: str) -> dict[str, Any]:
    """Return a cost with its parts."""
    return {
        "value": money(worst.value_minor, currency),
        "fee": money(worst.fee_minor, currency),
        "tax": money(worst.tax_minor, currency),
        "total": money(worst.total_minor, currency),
    }


def match_of(market: Market, match: Match) -> dict[str, Any]:
    """Return a match with its instants."""
    return {
        "quantity": match.units,
        "unit_hours": match.unit_hours,
        "starts_at": _instant(market_rules.instant_of(market.terms, match.start)),
        "ends_at": _instant(market_rules.instant_of(market.terms, match.end)),
    }


class RefusalOut(OutputSerializer):
    """What placing the order now would be answered with."""

    code = serializers.CharField()
    detail = serializers.CharField()
    facts = serializers.SerializerMethodField()

    @extend_schema_field(_BODY)
    def get_facts(self, refusal: Any) -> dict[str, Any]:
        """Return what the problem would say besides, such as the largest quantity that would fit."""
        return dict(getattr(refusal, "facts", {}))


class ShareOut(OutputSerializer):
    """The draft's part of the open book, in unit-hours over its window: sums alone.

    `supply_unit_hours` are those of compatible offers below the limit; `ahead_unit_hours` what orders of the
    same or a higher limit that could use any of it want at most; `left_unit_hours` what is left, at least, after them.
    `match` is what of that the draft could have.
    """

    cells = serializers.IntegerField()
    listed_cells = serializers.IntegerField()
    supply_unit_hours = serializers.IntegerField()
    ahead_unit_hours = serializers.IntegerField()
    left_unit_hours = serializers.IntegerField()
    wanted_unit_hours = serializers.IntegerField()
    match = serializers.SerializerMethodField()
    outlook = serializers.ChoiceField(choices=[outlook.value for outlook in queries.Outlook])

    @extend_schema_field(_MATCH)
    def get_match(self, share: Share) -> dict[str, Any]:
        """Return where the draft could be filled and with how much."""
        return match_of(self.context["market"], share.match)


class EstimateOut(OutputSerializer):
    """A price per unit-hour that the draft would probably see, its source, and what it would cost."""

    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field here, not the source of one
        choices=[source.value for source in estimates.PriceSource]
    )
    price = PriceOut(source="price_micros")
    lowest = PriceOut(source="lowest_micros")
    highest = PriceOut(source="highest_micros")
    as_of = serializers.DateTimeField(allow_null=True)
    cost = serializers.SerializerMethodField()

    @extend_schema_field(_COST)
    def get_cost(self, estimate: Estimate) -> dict[str, Any]:
        """Return what the match, or without one the whole draft, would cost at that price."""
        return cost(estimate.cost, self.context["market"].currency)


class ReasonOut(OutputSerializer):
    """One thing that is in the way of a draft that nothing fits, and what it would get without it alone."""

    aspect = serializers.CharField()
    pointer = serializers.CharField()
    detail = serializers.CharField()
    unit_hours = serializers.IntegerField()


class AlternativeOut(serializers.Serializer[Any]):
    """The nearest change of one aspect after which something fits: the fields to replace, and what it would get."""

    aspect = serializers.CharField()
    change = serializers.DictField()
    match = serializers.SerializerMethodField()
    hold = serializers.SerializerMethodField()

    @extend_schema_field(_MATCH)
    def get_match(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Return what the changed order could be filled with."""
        return dict(shown["match"])

    @extend_schema_field(_MONEY)
    def get_hold(self, shown: dict[str, Any]) -> dict[str, str]:
        """Return what placing the changed order would hold."""
        return dict(shown["hold"])


class PreviewOut(OutputSerializer):
    """What a draft order would cost and meet; `body` is ready to be posted.

    `return_credits_ppm` is what of the price the offers within reach credit for units handed back before their time,
    `pause_credits_ppm` for hours in which a lease is paused, and `resale_commissions_ppm` what the exchange keeps of
    the price of hours that are sold back.
    """

    body = serializers.SerializerMethodField()
    gate_at = serializers.DateTimeField()
    worst_case = serializers.SerializerMethodField()
    hold = serializers.SerializerMethodField()
    buyer_fee_ppm = serializers.IntegerField(source="rates.buyer_fee_ppm")
    tax_rate_ppm = serializers.IntegerField(source="rates.tax_rate_ppm")
    refusals = RefusalOut(many=True)
    share = serializers.SerializerMethodField()
    estimate = serializers.SerializerMethodField()
    return_credits_ppm = serializers.ListField(child=serializers.IntegerField())
    pause_credits_ppm = serializers.ListField(child=serializers.IntegerField())
    resale_commissions_ppm = serializers.ListField(child=serializers.IntegerField())
    reasons = ReasonOut(many=True)
    alternatives = serializers.SerializerMethodField()

    @extend_schema_field(_BODY)
    def get_body(self, preview: Preview) -> dict[str, Any]:
        """Return the order as it would be posted."""
        return body_of(preview.market, preview.spec)

    @extend_schema_field(_COST)
    def get_worst_case(self, preview: Preview) -> dict[str, Any]:
        """Return the most that it can cost, at the limit."""
        return cost(preview.worst, preview.market.currency)

    @extend_schema_field(_MONEY)
    def get_hold(self, preview: Preview) -> dict[str, str]:
        """Return what placing it holds: the worst case and the reserve for extras."""
        return money(preview.hold_minor, preview.market.currency)

    @extend_schema_field(ShareOut)
    def get_share(self, preview: Preview) -> Any:
        """Return its part of the book."""
        return ShareOut(preview.share, context={"market": preview.market}).data

    @extend_schema_field(EstimateOut(allow_null=True))
    def get_estimate(self, preview: Preview) -> Any:
        """Return the estimated price, if anything is known."""
        if preview.estimate is None:
            return None
        return EstimateOut(preview.estimate, context={"market": preview.market}).data

    @extend_schema_field(AlternativeOut(many=True))
    def get_alternatives(self, preview: Preview) -> Any:
        """Return the nearest changes after which something fits."""
        return AlternativeOut(alternatives_of(preview), many=True).data


def alternatives_of(preview: Preview) -> list[dict[str, Any]]:
    """Return the alternatives of a preview with the fields of the body that each replaces."""
    before = body_of(preview.market, preview.spec)
    return [
        {
            "aspect": str(alternative.aspect),
            "change": queries.changed(before, body_of(preview.market, spec)),
            "match": match_of(preview.market, alternative.match),
            "hold": money(queries.hold_minor(spec, preview.rates, preview.market), preview.market.currency),
        }
        for alternative, spec in preview.alternatives
    ]
