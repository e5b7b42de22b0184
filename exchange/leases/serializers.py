"""Leases as the API shows and takes them."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.actors.actor import Actor
from accounts.foundation.fields import StrictChoice, StrictDateTime, StrictInteger, StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PriceOut
from billing.ledger.serializers import MONEY_SCHEMA, money
from catalog.offerings import cells
from exchange.leases import queries, rules
from exchange.leases.models import Lease
from exchange.leases.queries import SegmentShown
from exchange.leases.resales import SellBack
from exchange.leases.rules import EndReason, LeaseStatus, Rectangle
from exchange.markets.rules import MAX_QUANTITY
from exchange.markets.serializers import PriceInput
from exchange.offers.models import Offer


class LeaseOut(OutputSerializer):
    """A lease; `access` is shown to its buyer while it runs."""

    id = SpelledId("lse")
    contract = SpelledId("ctr", source="contract_id")
    round = SpelledId("rnd", source="round_id", allow_null=True)
    market = serializers.CharField(source="contract.market_code")
    offering = SpelledId("ofr", source="offering_id")
    resource_type = serializers.CharField(source="offering.resource_type.code")
    site = serializers.CharField(source="offering.site.code")
    buyer = SpelledId("org", source="buyer_id")
    buyer_name = serializers.CharField(source="buyer.name")
    provider = SpelledId("org", source="provider_id")
    provider_name = serializers.CharField(source="provider.name")
    quantity = serializers.SerializerMethodField()
    unit = serializers.SerializerMethodField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=[status.value for status in LeaseStatus])
    end_reason = serializers.CharField()
    acknowledge_by = serializers.DateTimeField()
    scheduled_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    activated_at = serializers.DateTimeField(allow_null=True)
    last_heartbeat_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    contracted_quantity = serializers.SerializerMethodField()
    delivered_quantity = serializers.SerializerMethodField()
    access = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.STR)
    def get_quantity(self, lease: Lease) -> str:
        """Return the units handed over."""
        return str(lease.quantity)

    @extend_schema_field(OpenApiTypes.STR)
    def get_unit(self, lease: Lease) -> str:
        """Return the code of the unit of unit-hours."""
        return cells.unit(lease.offering)

    @extend_schema_field(OpenApiTypes.STR)
    def get_contracted_quantity(self, lease: Lease) -> str:
        """Return the unit-hours that the lease is for."""
        return unit_hours(queries.contracted_unit_hours(lease))

    @extend_schema_field(OpenApiTypes.STR)
    def get_delivered_quantity(self, lease: Any) -> str:
        """Return the unit-hours reported so far."""
        return unit_hours((lease.delivered_unit_seconds or Decimal(0)) / 3600)

    @extend_schema_field({"type": ["string", "null"]})
    def get_access(self, lease: Lease) -> str | None:
        """Return how to get in, for the buyer of a running lease."""
        actor = self.context["request"].auth
        assert isinstance(actor, Actor)
        return queries.access_of(actor, lease)


def unit_hours(value: Decimal) -> str:
    """Spell unit-hours with three decimals, which seconds of a unit need."""
    return f"{value.quantize(Decimal('0.001')):f}"


class SegmentOut(OutputSerializer):
    """A stretch of a lease: what was there of what was contracted."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.SerializerMethodField()
    contracted = serializers.SerializerMethodField()
    dispute_deadline = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(OpenApiTypes.STR)
    def get_quantity(self, segment: SegmentShown) -> str:
        """Return the units that were there."""
        return str(segment.quantity)

    @extend_schema_field(OpenApiTypes.STR)
    def get_contracted(self, segment: SegmentShown) -> str:
        """Return the units that should have been there."""
        return str(segment.contracted)


class SegmentsOut(OutputSerializer):
    """A lease's time in order; `final` from the closing of its reports on."""

    lease = SpelledId("lse")
    final = serializers.BooleanField()
    segments = SegmentOut(many=True)


class ActivateLease(InputSerializer):
    """The hand-over: how the buyer gets in. Stored encrypted."""

    access = StrictText(max_length=rules.MAX_ACCESS_CHARACTERS, multiline=True)


class EndLease(InputSerializer):
    """The end: completed at its time, or stopped early for a reason."""

    reason = StrictChoice(options=[EndReason.COMPLETED, *sorted(rules.EARLY_REASONS)])


class ScheduleRunOut(OutputSerializer):
    """Units that are owed in every hour from then to then."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.STR)
    def get_quantity(self, run: Rectangle) -> str:
        """Return the units."""
        return str(run.quantity)


class ScheduleOut(OutputSerializer):
    """What is to be handed over of a lease, what is paused of it, and what giving hours of it up comes to.

    `offered` is what its buyer has on offer to others, and is shown to them alone. The credits and the commission are
    one each unless its hours came from offers that state several; the contract says which holds when.
    `returnable_from` is the first instant from which something can be handed back, paused or taken up again now.
    """

    lease = SpelledId("lse")
    runs = ScheduleRunOut(many=True)
    paused = ScheduleRunOut(many=True)
    offered = ScheduleRunOut(many=True)
    return_credits_ppm = serializers.ListField(child=serializers.IntegerField(), source="credits.returns_ppm")
    pause_credits_ppm = serializers.ListField(child=serializers.IntegerField(), source="credits.pauses_ppm")
    resale_commissions_ppm = serializers.ListField(child=serializers.IntegerField(), source="credits.resales_ppm")
    returnable_from = serializers.DateTimeField()


class ReturnUnits(InputSerializer):
    """A rectangle to be handed back: so many units in every hour from then to then."""

    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY)
    starts_at = StrictDateTime()
    ends_at = StrictDateTime()

    @staticmethod
    def rectangle(values: dict[str, Any]) -> Rectangle:
        """Return the validated fields as the rectangle they describe."""
        return Rectangle(values["quantity"], values["starts_at"], values["ends_at"])


class SellBackUnits(ReturnUnits):
    """A rectangle of a lease to be offered to others, and the lowest price per unit-hour that is taken for it."""

    reserve_price = PriceInput()

    @classmethod
    def spec(cls, values: dict[str, Any]) -> SellBack:
        """Return the validated fields as the offer they describe."""
        return SellBack(cls.rectangle(values), values["reserve_price"])


class SoldRunOut(OutputSerializer):
    """Units that were bought in every hour from then to then, at the price of the round."""

    round = SpelledId("rnd", source="round_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField()
    price = PriceOut(source="price_micros")


class ResaleOut(OutputSerializer):
    """Hours of a lease on offer to others: what it says, where it stands, and what was sold of it.

    Prices are per unit-hour in `currency`, without fees and tax; of them the exchange keeps `commission_ppm`.
    """

    id = SpelledId("off")
    contract = SpelledId("ctr", source="origin_id")
    market = serializers.CharField(source="market.code")
    status = serializers.CharField()
    in_round = serializers.SerializerMethodField()
    quantity = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    currency = serializers.CharField(source="market.currency")
    reserve_price = PriceOut(source="reserve_micros")
    commission_ppm = serializers.IntegerField(source="resale_commission_ppm")
    total_unit_hours = serializers.IntegerField()
    sold_unit_hours = serializers.IntegerField()
    open_unit_hours = serializers.IntegerField()
    closed_unit_hours = serializers.IntegerField()
    sold = SoldRunOut(many=True, source="trades")
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_in_round(self, offer: Offer) -> bool:
        """Return whether a gate has closed over it and its round is not published yet."""
        return offer.locked_at is not None


class PauseLease(InputSerializer):
    """From when to when a lease is to be paused, all of it that is owed then."""

    starts_at = StrictDateTime()
    ends_at = StrictDateTime()


class ResumeLease(InputSerializer):
    """From when on a lease is taken up again."""

    starts_at = StrictDateTime()


class ReturnedOut(OutputSerializer):
    """A lease after units of it were handed back, and what of their value was credited, without fee and tax."""

    lease = LeaseOut()
    credited = serializers.SerializerMethodField()

    @extend_schema_field(MONEY_SCHEMA)
    def get_credited(self, returned: dict[str, Any]) -> dict[str, str]:
        """Return the amount."""
        return money(returned["credited"].amount_minor, returned["credited"].currency)
