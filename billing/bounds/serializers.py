"""Shapes of bounds and parked accounts."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.fields import StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.bounds.models import Parking
from billing.bounds.rules import Bound
from billing.ledger.serializers import MoneyOut
from catalog.measures.money import format_minor


class BoundsOut(OutputSerializer):
    """Bounds and since when they hold; without an organisation they are of all others."""

    organisation = SpelledId("org", source="organisation_id", allow_null=True)
    line = MoneyOut("line_minor")
    total = MoneyOut("total_minor")
    lines_per_day = serializers.IntegerField()
    usual_multiple = serializers.IntegerField()
    trailing_days = serializers.IntegerField()
    usual_from = MoneyOut("usual_from_minor")
    two_people_above = MoneyOut("two_people_above_minor")
    effective_from = serializers.DateTimeField()


class ReleaseParking(InputSerializer):
    """Why an account may be billed again."""

    reason = StrictText(max_length=500)


class BreachOut(serializers.Serializer[Any]):
    """A bound, what was seen, and the most that was expected."""

    bound = serializers.ChoiceField(choices=list(Bound))
    seen = serializers.CharField()
    limit = serializers.CharField()


class ParkingOut(OutputSerializer):
    """A party that is not billed, or was not, and the bill that was beyond its bounds."""

    id = SpelledId("prk")
    organisation = SpelledId("org", source="organisation_id")
    side = serializers.CharField()
    contract = SpelledId("ctr", source="contract_id")
    total = MoneyOut("total_minor")
    lines = serializers.IntegerField()
    breaches = serializers.SerializerMethodField()
    takes_two = serializers.BooleanField()
    parked_at = serializers.DateTimeField()
    reason = serializers.CharField()
    asked_at = serializers.DateTimeField(allow_null=True)
    released_at = serializers.DateTimeField(allow_null=True)

    @staticmethod
    def spelled(parking: Parking) -> list[dict[str, str]]:
        """Return the breaches as text: amounts in the currency, or counts."""
        return [
            {"bound": one["bound"]}
            | {
                name: str(one[name])
                if one["bound"] == Bound.DAY
                else f"{format_minor(one[name], parking.currency)} {parking.currency}"
                for name in ("seen", "limit")
            }
            for one in parking.breaches
        ]

    @extend_schema_field(BreachOut(many=True))
    def get_breaches(self, parking: Parking) -> list[dict[str, str]]:
        """Return what was breached."""
        return self.spelled(parking)
