"""Shapes of markets, and of the prices and windows that offers and orders share."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictDate, StrictDateTime, StrictDecimal, StrictInteger, StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PriceOut
from catalog.measures.price import parse_price_micros
from exchange.markets.calendar import MAX_CLOSED_DAYS, PUBLISH_SECONDS, Calendar
from exchange.markets.rules import MAX_COLLAR_PERCENT, MarketSpec, MarketTerms

_SECONDS = {"min_value": 0, "max_value": 7 * 24 * 3600}


class PriceInput(StrictDecimal):
    """A price per unit-hour as a decimal in a string, given on in micros."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=15, decimal_places=6, min_value=Decimal(0), **options)

    def read(self, value: object) -> int:  # type: ignore[override]  # a price inside is micros
        """Return the price in micros or raise strict.Mismatch."""
        return parse_price_micros(f"{super().read(value):f}")


class GateOut(OutputSerializer):
    """A coming gate: when its round opens and begins its no-cancel phase, from when on and by when it is published."""

    opens_at = serializers.DateTimeField()
    gate_at = serializers.DateTimeField()
    cancel_deadline_at = serializers.DateTimeField()
    publish_at = serializers.DateTimeField()
    publish_by_at = serializers.DateTimeField()


class CalendarOut(OutputSerializer):
    """An announced change of when a market's gates stand: it holds from then on, until the next one does."""

    effective_from = serializers.DateTimeField()
    gate_interval_seconds = serializers.IntegerField()
    gate_offset_seconds = serializers.IntegerField()
    no_cancel_seconds = serializers.IntegerField()
    publish_after_seconds = serializers.IntegerField()
    publish_seconds = serializers.IntegerField()
    closed_days = serializers.ListField(child=serializers.DateField())


class MarketOut(OutputSerializer):
    """A market's rules, its next gate and what that can deliver.

    The three figures of its gates are those of its first calendar; `calendars` are the changes announced since.
    """

    id = SpelledId("mkt", source="market.id")
    code = serializers.CharField(source="market.code")
    name = serializers.CharField(source="market.name")
    name_zh = serializers.CharField(source="market.name_zh")
    service_class = serializers.CharField(source="market.service_class")
    unit = serializers.CharField(source="market.unit")
    currency = serializers.CharField(source="market.currency")
    timezone = serializers.CharField(source="market.timezone")
    epoch = serializers.DateField(source="market.epoch")
    grid_slots = serializers.IntegerField(source="market.grid_slots")
    lot_units = serializers.IntegerField(source="market.lot_units")
    tick = PriceOut(source="market.tick_micros")
    lowest_price = PriceOut(source="market.collar_min_micros")
    highest_price = PriceOut(source="market.collar_max_micros")
    collar_percent = serializers.IntegerField(source="market.collar_percent", allow_null=True)
    gate_interval_seconds = serializers.IntegerField(source="market.gate_interval_seconds")
    gate_offset_seconds = serializers.IntegerField(source="market.gate_offset_seconds")
    no_cancel_seconds = serializers.IntegerField(source="market.no_cancel_seconds")
    lead_seconds = serializers.IntegerField(source="market.lead_seconds")
    horizon_hours = serializers.IntegerField(source="market.horizon_hours")
    quote_seconds = serializers.IntegerField(source="market.quote_seconds")
    quotes_at_once = serializers.IntegerField(source="market.quotes_at_once")
    quoted_unit_hours_at_most = serializers.IntegerField(source="market.quoted_unit_hours_at_most")
    rules_version = serializers.IntegerField(source="market.rules_version")
    status = serializers.CharField(source="market.status")
    next_gate_at = serializers.DateTimeField()
    cancel_deadline_at = serializers.DateTimeField()
    first_delivery_at = serializers.DateTimeField()
    last_delivery_at = serializers.DateTimeField()
    calendars = CalendarOut(source="market.terms.calendars", many=True)
    coming_gates = GateOut(source="coming", many=True)


class NewMarket(InputSerializer):
    """A market to be opened."""

    code = StrictText(max_length=40)
    name = StrictText(max_length=120)
    name_zh = StrictText(max_length=120, min_length=0, required=False, default="")
    service_class = StrictText(max_length=40)
    unit = StrictText(max_length=40)
    currency = StrictText(max_length=3, min_length=3)
    timezone = StrictText(max_length=60, required=False, default="Asia/Shanghai")
    epoch = StrictDate()
    grid_slots = StrictInteger(min_value=1, max_value=24, required=False, default=1)
    lot_units = StrictInteger(min_value=1, max_value=1_000_000, required=False, default=1)
    tick = PriceInput()
    lowest_price = PriceInput()
    highest_price = PriceInput()
    collar_percent = StrictInteger(min_value=1, max_value=MAX_COLLAR_PERCENT, required=False, default=None)
    gate_interval_seconds = StrictInteger(**_SECONDS)
    gate_offset_seconds = StrictInteger(**_SECONDS, required=False, default=0)
    no_cancel_seconds = StrictInteger(**_SECONDS)
    lead_seconds = StrictInteger(**_SECONDS, required=False, default=1800)
    horizon_hours = StrictInteger(min_value=1, max_value=366 * 24)
    quote_seconds = StrictInteger(min_value=60, max_value=300, required=False, default=120)
    quotes_at_once = StrictInteger(min_value=0, max_value=1_000, required=False, default=3)
    quoted_unit_hours_at_most = StrictInteger(min_value=1, max_value=10**9, required=False, default=10_000)

    @staticmethod
    def spec(values: dict[str, Any]) -> MarketSpec:
        """Return the validated fields as the market they describe."""
        terms = MarketTerms(
            currency=values["currency"],
            timezone=values["timezone"],
            epoch=values["epoch"],
            grid_slots=values["grid_slots"],
            lot_units=values["lot_units"],
            tick_micros=values["tick"],
            collar_min_micros=values["lowest_price"],
            collar_max_micros=values["highest_price"],
            collar_percent=values["collar_percent"],
            gate_interval_seconds=values["gate_interval_seconds"],
            gate_offset_seconds=values["gate_offset_seconds"],
            no_cancel_seconds=values["no_cancel_seconds"],
            lead_seconds=values["lead_seconds"],
            horizon_hours=values["horizon_hours"],
            quote_seconds=values["quote_seconds"],
            quotes_at_once=values["quotes_at_once"],
            quoted_unit_hours_at_most=values["quoted_unit_hours_at_most"],
        )
        names = {name: values[name] for name in ("code", "name", "name_zh", "service_class", "unit")}
        return MarketSpec(terms=terms, **names)


class NewCalendar(InputSerializer):
    """When a market's gates stand from an instant on; closed days are local days without a gate."""

    effective_from = StrictDateTime()
    gate_interval_seconds = StrictInteger(**_SECONDS)
    gate_offset_seconds = StrictInteger(**_SECONDS, required=False, default=0)
    no_cancel_seconds = StrictInteger(**_SECONDS)
    publish_after_seconds = StrictInteger(**_SECONDS, required=False, default=0)
    publish_seconds = StrictInteger(**_SECONDS, required=False, default=PUBLISH_SECONDS)
    closed_days = serializers.ListField(child=StrictDate(), max_length=MAX_CLOSED_DAYS, required=False, default=list)

    @staticmethod
    def calendar(values: dict[str, Any]) -> Calendar:
        """Return the validated fields as the calendar they describe."""
        return Calendar(**{**values, "closed_days": tuple(values["closed_days"])})


class ReasonInput(InputSerializer):
    """Why the operator does something."""

    reason = StrictText(max_length=500)
