"""Shapes of offers."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.foundation.fields import StrictBoolean, StrictDateTime, StrictInteger, StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.contracts.serializers import PriceOut
from catalog.measures.rounding import PPM
from exchange.markets.rules import MAX_QUANTITY
from exchange.markets.serializers import PriceInput
from exchange.offers.models import Offer
from exchange.offers.rules import OfferSpec, OfferTerms


class OfferOut(OutputSerializer):
    """An offer; prices are per unit-hour in `currency`, without fees and tax.

    `origin` is the contract that hours are sold back from, for staff; a provider sees no such offers.
    """

    id = SpelledId("off")
    market = serializers.CharField(source="market.code")
    offering = SpelledId("ofr", source="offering_id")
    provider = SpelledId("org", source="provider_id")
    origin = SpelledId("ctr", source="origin_id", allow_null=True)
    status = serializers.CharField()
    in_round = serializers.SerializerMethodField()
    quantity = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    currency = serializers.CharField(source="market.currency")
    reserve_price = PriceOut(source="reserve_micros")
    instant_price = PriceOut(source="instant_price_micros", allow_null=True)
    pause_credit_ppm = serializers.IntegerField(allow_null=True)
    return_credit_ppm = serializers.IntegerField(allow_null=True)
    resale_commission_ppm = serializers.IntegerField()
    total_unit_hours = serializers.IntegerField()
    held_unit_hours = serializers.IntegerField()
    sold_unit_hours = serializers.IntegerField()
    open_unit_hours = serializers.IntegerField()
    closed_unit_hours = serializers.IntegerField()
    seq = serializers.IntegerField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    revised_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_in_round(self, offer: Offer) -> bool:
        """Return whether a gate has closed over the offer and its round is not published yet."""
        return offer.locked_at is not None


class OfferRevisionOut(OutputSerializer):
    """An offer as it stood after one change."""

    revision = serializers.IntegerField()
    seq = serializers.IntegerField()
    quantity = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reserve_price = PriceOut(source="reserve_micros")
    instant_price = PriceOut(source="instant_price_micros", allow_null=True)
    accepted_at = serializers.DateTimeField()


class PlaceOffer(InputSerializer):
    """An offer to be placed. With `lists_capacity` what is missing of the capacity is listed in the same step."""

    market = StrictText(max_length=40)
    offering = TypedId("ofr")
    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY)
    starts_at = StrictDateTime()
    ends_at = StrictDateTime()
    reserve_price = PriceInput()
    instant_price = PriceInput(required=False, default=None)
    pause_credit_ppm = StrictInteger(min_value=0, max_value=PPM, required=False, default=None)
    return_credit_ppm = StrictInteger(min_value=0, max_value=PPM, required=False, default=None)
    lists_capacity = StrictBoolean(required=False, default=False)

    @staticmethod
    def spec(values: dict[str, Any], *, market_id: UUID) -> OfferSpec:
        """Return the validated fields as the offer they describe."""
        terms = OfferTerms(
            values["quantity"],
            values["starts_at"],
            values["ends_at"],
            values["reserve_price"],
            values["instant_price"],
        )
        return OfferSpec(
            market_id,
            values["offering"],
            terms,
            pause_credit_ppm=values["pause_credit_ppm"],
            return_credit_ppm=values["return_credit_ppm"],
        )


class AmendOffer(InputSerializer):
    """What of an offer is to change; the rest stays. An instant price of null takes it off."""

    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY, required=False)
    starts_at = StrictDateTime(required=False)
    ends_at = StrictDateTime(required=False)
    reserve_price = PriceInput(required=False, source="reserve_micros")
    instant_price = PriceInput(required=False, allow_null=True, source="instant_price_micros")
