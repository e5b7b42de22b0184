"""Shapes of capacity."""

from rest_framework import serializers

from accounts.foundation.fields import StrictDateTime, StrictInteger, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from exchange.markets.rules import MAX_QUANTITY


class CapacityOut(OutputSerializer):
    """The units of an offering in one hour; `free` are those that nobody has a claim on."""

    offering = SpelledId("ofr", source="offering_id")
    starts_at = serializers.DateTimeField()
    listed = serializers.IntegerField()
    offered = serializers.IntegerField()
    held = serializers.IntegerField()
    sold = serializers.IntegerField()
    free = serializers.IntegerField()


class ListedCapacityOut(OutputSerializer):
    """The hours that a listing has set."""

    data = CapacityOut(many=True)  # type: ignore[assignment]  # a field here, not the property


class ListCapacity(InputSerializer):
    """How many units of an own offering exist in every hour of a window."""

    offering = TypedId("ofr", source="offering_id")
    starts_at = StrictDateTime()
    ends_at = StrictDateTime()
    quantity = StrictInteger(min_value=0, max_value=MAX_QUANTITY)
