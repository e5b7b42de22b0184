"""Shapes of orders."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.errors import FieldProblem, Invalid
from accounts.foundation.fields import (
    StrictBoolean,
    StrictChoice,
    StrictDateTime,
    StrictInteger,
    StrictText,
    TypedId,
)
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PriceOut
from billing.ledger.serializers import MoneyInput, MoneyOut, money
from catalog.measures.money import Money
from catalog.offerings.needs import Needs
from exchange.markets.models import Market
from exchange.markets.rules import MAX_HORIZON_HOURS, MAX_QUANTITY
from exchange.markets.serializers import PriceInput
from exchange.orders.models import Order
from exchange.orders.rules import MAX_AMOUNT_MINOR, OrderKind, OrderSpec, OrderTerms

NEEDS_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{key: {"type": "array", "items": {"type": "string"}} for key in ("model", "region", "interconnect")},
        **{key: {"type": "integer"} for key in ("min_mem_gb", "min_tflops", "min_green_pct", "min_security")},
        "max_latency": {
            "type": "object",
            "required": ["metro", "ms"],
            "properties": {"metro": {"type": "string"}, "ms": {"type": "integer"}},
        },
    },
}


@extend_schema_field(NEEDS_SCHEMA)
class NeedsInput(serializers.Field[Needs, Any, Any, Any]):
    """What the hardware must be, spelled as in a clearing book."""

    def to_internal_value(self, data: Any) -> Needs:
        """Return the needs; every wrong key or value is a problem at its own place."""
        try:
            return Needs.from_document(data, pointer="")
        except Invalid as refused:
            raise serializers.ValidationError(_nested(refused.problems)) from refused


def _nested(problems: Iterable[FieldProblem]) -> dict[str, Any]:
    """Return problems as the nested mapping that the framework's errors are."""
    tree: dict[str, Any] = {}
    for problem in problems:
        *path, last = problem.pointer.strip("/").split("/")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch.setdefault(last or "non_field_errors", []).append(problem.detail)
    return tree


class OrderHoldOut(OutputSerializer):
    """The funds held for an order."""

    id = SpelledId("hld")
    amount = MoneyOut("amount_minor")


class OrderOut(OutputSerializer):
    """An order; the limit is per unit-hour in `currency` without fees and tax, the budget is all-in."""

    id = SpelledId("ord")
    market = serializers.CharField(source="market.code")
    buyer = SpelledId("org", source="buyer_id")
    project = SpelledId("prj", source="project_id")
    kind = serializers.CharField()
    status = serializers.CharField()
    quantity = serializers.IntegerField(source="quantity_max")
    min_quantity = serializers.IntegerField(source="quantity_min", allow_null=True)
    all_or_none = serializers.BooleanField(source="is_all_or_none")
    hours = serializers.IntegerField(allow_null=True)
    earliest_at = serializers.DateTimeField()
    latest_at = serializers.DateTimeField()
    single_site = serializers.BooleanField()
    needs = serializers.SerializerMethodField()
    currency = serializers.CharField()
    limit_price = PriceOut(source="limit_micros")
    limit_source = serializers.CharField()
    budget = serializers.SerializerMethodField()
    extras_reserve = MoneyOut("extras_reserve_minor")
    rolls_over = serializers.BooleanField()
    hold = OrderHoldOut()
    buyer_fee_ppm = serializers.IntegerField()
    tax_rate_ppm = serializers.IntegerField()
    fee_version = serializers.IntegerField()
    terms_version = serializers.IntegerField()
    total_unit_hours = serializers.IntegerField()
    filled_unit_hours = serializers.IntegerField()
    open_unit_hours = serializers.IntegerField()
    closed_unit_hours = serializers.IntegerField()
    seq = serializers.IntegerField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    revised_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(NEEDS_SCHEMA)
    def get_needs(self, order: Order) -> dict[str, Any]:
        """Return the needs as they were entered."""
        return dict(order.needs)

    @extend_schema_field({"type": ["object", "null"]})
    def get_budget(self, order: Order) -> dict[str, str] | None:
        """Return the budget, if there is one."""
        return None if order.budget_minor is None else money(order.budget_minor, order.currency)


class OrderRevisionOut(OutputSerializer):
    """An order as it stood after one change."""

    revision = serializers.IntegerField()
    seq = serializers.IntegerField()
    quantity = serializers.IntegerField(source="quantity_max")
    min_quantity = serializers.IntegerField(source="quantity_min", allow_null=True)
    hours = serializers.IntegerField(allow_null=True)
    earliest_at = serializers.DateTimeField()
    latest_at = serializers.DateTimeField()
    limit_price = PriceOut(source="limit_micros")
    rolls_over = serializers.BooleanField()
    accepted_at = serializers.DateTimeField()


class PlaceOrder(InputSerializer):
    """An order to be placed. A block without `min_quantity` is all-or-none."""

    market = StrictText(max_length=40)
    project = TypedId("prj", required=False, default=None)
    kind = StrictChoice(options=OrderKind)
    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY)
    min_quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY, required=False)
    hours = StrictInteger(min_value=1, max_value=MAX_HORIZON_HOURS, required=False)
    earliest_at = StrictDateTime()
    latest_at = StrictDateTime()
    single_site = StrictBoolean(required=False, default=False)
    needs = NeedsInput(required=False)
    limit_price = PriceInput()
    budget = MoneyInput(max_minor=MAX_AMOUNT_MINOR, required=False)
    extras_reserve = MoneyInput(max_minor=MAX_AMOUNT_MINOR, required=False)
    rolls_over = StrictBoolean(required=False, default=False)

    @staticmethod
    def spec(values: dict[str, Any], market: Market) -> OrderSpec:
        """Return the validated fields as the order they describe; raises Invalid for another currency."""
        is_block = values["kind"] is OrderKind.BLOCK
        terms = OrderTerms(
            quantity_max=values["quantity"],
            quantity_min=values.get("min_quantity", values["quantity"] if is_block else None),
            hours=values.get("hours"),
            earliest_at=values["earliest_at"],
            latest_at=values["latest_at"],
            needs=values.get("needs", Needs()),
            limit_micros=values["limit_price"],
            budget_minor=minor(values.get("budget"), market.currency, pointer="/budget"),
            extras_reserve_minor=minor(values.get("extras_reserve"), market.currency, pointer="/extras_reserve") or 0,
            rolls_over=values["rolls_over"],
        )
        return OrderSpec(
            market_id=market.id,
            kind=values["kind"],
            terms=terms,
            single_site=values["single_site"],
            project_id=values["project"],
        )


class AmendOrder(InputSerializer):
    """What of an order is to change; the rest stays. A budget or reserve of null takes it off."""

    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY, required=False)
    min_quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY, required=False)
    hours = StrictInteger(min_value=1, max_value=MAX_HORIZON_HOURS, required=False)
    earliest_at = StrictDateTime(required=False)
    latest_at = StrictDateTime(required=False)
    needs = NeedsInput(required=False)
    limit_price = PriceInput(required=False)
    budget = MoneyInput(max_minor=MAX_AMOUNT_MINOR, required=False, allow_null=True)
    extras_reserve = MoneyInput(max_minor=MAX_AMOUNT_MINOR, required=False, allow_null=True)
    rolls_over = StrictBoolean(required=False)

    @staticmethod
    def changes(values: dict[str, Any], *, currency: str) -> dict[str, Any]:
        """Return the validated fields under their inward names; raises Invalid for another currency."""
        inward = {"quantity": "quantity_max", "min_quantity": "quantity_min", "limit_price": "limit_micros"}
        changes = {inward.get(name, name): value for name, value in values.items()}
        if "budget" in changes:
            changes["budget_minor"] = minor(changes.pop("budget"), currency, pointer="/budget")
        if "extras_reserve" in changes:
            reserve = minor(changes.pop("extras_reserve"), currency, pointer="/extras_reserve")
            changes["extras_reserve_minor"] = reserve or 0
        return changes


def minor(amount: Money | None, currency: str, *, pointer: str) -> int | None:
    """Return an amount in the market's currency in minor units; raises Invalid for another currency."""
    if amount is None:
        return None
    if amount.currency != currency:
        raise Invalid.field(f"{pointer}/currency", amount.currency, f"the market's currency {currency}")
    return amount.amount_minor
