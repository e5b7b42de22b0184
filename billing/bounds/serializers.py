"""Shapes of bounds and parked accounts."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.errors import Invalid
from accounts.foundation.fields import StrictDateTime, StrictInteger, StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.bounds.models import Parking
from billing.bounds.rules import Bound, Limits
from billing.bounds.services import BoundSpec
from billing.ledger.rules import MAX_AMOUNT_MINOR
from billing.ledger.serializers import MoneyInput, MoneyOut
from catalog.measures.money import format_minor

MOST = 1_000_000  # of lines a day, and times the usual month
AMOUNTS = ("line", "total", "usual_from", "two_people_above")


class SetBounds(InputSerializer):
    """Bounds from an instant on, of one organisation or of all that have none of their own; one currency."""

    organisation = TypedId("org", required=False)
    line = MoneyInput(max_minor=MAX_AMOUNT_MINOR)
    total = MoneyInput(max_minor=MAX_AMOUNT_MINOR)
    lines_per_day = StrictInteger(min_value=1, max_value=MOST)
    usual_multiple = StrictInteger(min_value=1, max_value=MOST)
    usual_from = MoneyInput(max_minor=MAX_AMOUNT_MINOR, min_minor=0)
    two_people_above = MoneyInput(max_minor=MAX_AMOUNT_MINOR, min_minor=0)
    effective_from = StrictDateTime()

    @staticmethod
    def spec(given: Mapping[str, Any]) -> BoundSpec:
        """Return what is to be set; raises Invalid naming an amount in another currency than the first."""
        currency = given["line"].currency
        for name in AMOUNTS:
            if given[name].currency != currency:
                raise Invalid.field(f"/{name}/currency", given[name].currency, currency)
        limits = Limits(
            line_minor=given["line"].amount_minor,
            total_minor=given["total"].amount_minor,
            lines_per_day=given["lines_per_day"],
            usual_multiple=given["usual_multiple"],
            usual_from_minor=given["usual_from"].amount_minor,
            two_people_above_minor=given["two_people_above"].amount_minor,
        )
        return BoundSpec(limits, currency, given["effective_from"], given.get("organisation"))


class BoundsOut(OutputSerializer):
    """Bounds and since when they hold; without an organisation they are of all others."""

    organisation = SpelledId("org", source="organisation_id", allow_null=True)
    line = MoneyOut("line_minor")
    total = MoneyOut("total_minor")
    lines_per_day = serializers.IntegerField()
    usual_multiple = serializers.IntegerField()
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
