"""Offerings as the API shows and takes them. A listed offering is shown with its cell and its prices in force."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import fields
from accounts.foundation.errors import mismatch
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from catalog.measures.price import format_micros, parse_price_micros
from catalog.measures.tariffs import MAX_TIERS, MAX_UP_TO, PRECISIONS, Period, PriceModel, Tier
from catalog.offerings import cells
from catalog.offerings.models import RateCardItem
from catalog.offerings.queries import NearMiss, PricedOffering
from catalog.offerings.rules import Fabric, Quality
from catalog.offerings.services import MAX_BASE_QUANTITY, MAX_ITEMS, Rate

_TIERS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["up_to", "price"],
        "properties": {"up_to": {"type": ["integer", "null"]}, "price": {"type": "string"}},
    },
}


class RateOut(OutputSerializer):
    """The price of one meter: so much of the card's currency per base quantity of the meter's unit."""

    meter = serializers.CharField()
    price = serializers.SerializerMethodField()
    base_quantity = serializers.IntegerField()
    model = serializers.CharField()
    tiers = serializers.SerializerMethodField()
    minimum = serializers.SerializerMethodField()
    period = serializers.CharField()
    precision = serializers.CharField()

    @extend_schema_field(OpenApiTypes.STR)
    def get_price(self, item: RateCardItem) -> str:
        """Return the price as a decimal text."""
        return format_micros(item.price_micros, decimals=6)

    @extend_schema_field(_TIERS)
    def get_tiers(self, item: RateCardItem) -> list[dict[str, Any]]:
        """Return the tiers in order; the last has no end."""
        return [
            {"up_to": tier.up_to, "price": format_micros(tier.price_micros, decimals=6)} for tier in item.tariff.tiers
        ]

    @extend_schema_field(OpenApiTypes.STR)
    def get_minimum(self, item: RateCardItem) -> str:
        """Return the least amount of a period as a decimal text."""
        return format_micros(item.minimum_micros, decimals=6)


class RateCardOut(OutputSerializer):
    """The prices of an offering from an instant on."""

    version = serializers.IntegerField()
    currency = serializers.CharField()
    effective_from = serializers.DateTimeField()
    items = RateOut(many=True)


class OfferingOut(OutputSerializer):
    """An offering with its cell; `needs`, `attributes` and `unmet` use the same keys."""

    id = SpelledId("ofr", source="offering.id")
    name = serializers.CharField(source="offering.name")
    provider = SpelledId("org", source="offering.provider_id")
    provider_name = serializers.CharField(source="offering.provider.name")
    site = SpelledId("sit", source="offering.site_id")
    site_code = serializers.CharField(source="offering.site.code")
    service_class = serializers.CharField(source="offering.resource_type.service_class.code")
    form = serializers.CharField(source="offering.resource_type.form")
    unit = serializers.SerializerMethodField()
    cell = serializers.SerializerMethodField()
    attributes = serializers.SerializerMethodField()
    units_per_machine = serializers.IntegerField(source="offering.units_per_machine")
    qos = serializers.CharField(source="offering.qos")
    sla_credit_ppm = serializers.IntegerField(source="offering.sla_credit_ppm")
    sla_availability_ppm = serializers.IntegerField(source="offering.sla_availability_ppm")
    status = serializers.CharField(source="offering.status")
    rate_card = RateCardOut(allow_null=True)
    created_at = serializers.DateTimeField(source="offering.created_at")
    listed_at = serializers.DateTimeField(source="offering.listed_at", allow_null=True)

    @extend_schema_field(OpenApiTypes.STR)
    def get_unit(self, shown: PricedOffering) -> str:
        """Return the unit that the offering is counted in."""
        return cells.unit(shown.offering)

    @extend_schema_field(OpenApiTypes.STR)
    def get_cell(self, shown: PricedOffering) -> str:
        """Return the code of the cell."""
        return cells.code(shown.offering)

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_attributes(self, shown: PricedOffering) -> dict[str, Any]:
        """Return what the cell is."""
        return cells.attributes(shown.offering).to_document()


class UnmetOut(OutputSerializer):
    """One need that an offering does not meet."""

    need = serializers.CharField()
    detail = serializers.CharField()


class NearMissOut(OutputSerializer):
    """An offering that does not qualify, and why."""

    id = SpelledId("ofr", source="offering.id")
    name = serializers.CharField(source="offering.name")
    cell = serializers.SerializerMethodField()
    unmet = UnmetOut(many=True)

    @extend_schema_field(OpenApiTypes.STR)
    def get_cell(self, miss: NearMiss) -> str:
        """Return the code of the cell."""
        return cells.code(miss.offering)


class NearMissesOut(OutputSerializer):
    """The offerings that come closest, fewest unmet needs first."""

    data = NearMissOut(many=True)  # type: ignore[assignment]  # DRF takes declared fields off the class


class NewOffering(InputSerializer):
    """An offering to be entered; security, tflops and memory only where they deviate from the standard."""

    site = fields.TypedId("sit", source="site_id")
    resource_type = fields.StrictText(max_length=64)
    name = fields.StrictText(max_length=120)
    fabric = fields.StrictChoice(options=Fabric, required=False)
    security = fields.StrictInteger(min_value=2, max_value=4, required=False, source="security_level")
    tflops = fields.StrictDecimal(
        max_digits=10, decimal_places=3, min_value=Decimal("0.001"), required=False, source="rated_tflops"
    )
    mem_gb = fields.StrictInteger(min_value=1, max_value=10**6, required=False, source="memory_gb")
    units_per_machine = fields.StrictInteger(min_value=1, max_value=1024, required=False)
    qos = fields.StrictChoice(options=Quality, required=False)
    sla_credit_ppm = fields.StrictInteger(min_value=0, max_value=10**6, required=False)
    sla_availability_ppm = fields.StrictInteger(min_value=0, max_value=10**6, required=False)


class NewTier(InputSerializer):
    """The price of the units up to and including `up_to`; the last tier has no end."""

    up_to = fields.StrictInteger(min_value=1, max_value=MAX_UP_TO, required=False)
    price = fields.StrictDecimal(max_digits=15, decimal_places=6, min_value=Decimal(0))


class NewRate(InputSerializer):
    """The price of one meter: one price, or a model with its tiers, minimum and period."""

    meter = fields.StrictText(max_length=32)
    price = fields.StrictDecimal(max_digits=15, decimal_places=6, min_value=Decimal(0), required=False)
    base_quantity = fields.StrictInteger(min_value=1, max_value=MAX_BASE_QUANTITY, required=False)
    model = fields.StrictChoice(options=PriceModel, required=False)
    tiers = NewTier(many=True, max_length=MAX_TIERS, required=False)  # type: ignore[call-arg]  # for the list it makes
    minimum = fields.StrictDecimal(max_digits=15, decimal_places=6, min_value=Decimal(0), required=False)
    period = fields.StrictChoice(options=Period, required=False)
    precision = fields.StrictChoice(options=PRECISIONS, required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Ask for one price or for tiers, not for both."""
        if ("price" in given) == bool(given.get("tiers")):
            seen = "both" if "price" in given else "neither"
            raise serializers.ValidationError({"price": mismatch(seen, "a price, or tiers with a price each")})
        return given


class NewRateCard(InputSerializer):
    """The next version of an offering's prices."""

    currency = fields.StrictText(max_length=3, min_length=3)
    effective_from = fields.StrictDateTime(required=False)
    items = NewRate(many=True, min_length=1, max_length=MAX_ITEMS)  # type: ignore[call-arg]  # for the list it makes

    def validate_items(self, items: list[dict[str, Any]]) -> list[Rate]:
        """Return the items as plain rates."""
        return [_rate(item) for item in items]


def _rate(item: dict[str, Any]) -> Rate:
    tiers = tuple(Tier(tier.get("up_to"), _micros(tier["price"])) for tier in item.get("tiers", ()))
    return Rate(
        meter=item["meter"],
        price_micros=_micros(item["price"]) if "price" in item else tiers[0].price_micros,
        base_quantity=item.get("base_quantity", 1),
        model=item.get("model", PriceModel.FLAT),
        tiers=tiers,
        minimum_micros=_micros(item["minimum"]) if "minimum" in item else 0,
        period=item.get("period", Period.CONTRACT),
        precision=item.get("precision", ""),
    )


def _micros(price: Decimal) -> int:
    return parse_price_micros(f"{price:f}")
