"""Shapes of what changes prices."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictChoice, StrictDateTime, StrictInteger, StrictText, TypedId
from accounts.web.rows import one_of
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.ledger.serializers import MoneyInput, MoneyOut
from billing.pricing.imports import MAX_FILE_BYTES, MAX_ROWS, MAX_SCOPE
from billing.pricing.rules import MAX_FACTOR_PPM, MAX_VOUCHER_MINOR
from catalog.measures.tariffs import PRECISIONS
from catalog.offerings.rules import Quality


class NewCustomerClass(InputSerializer):
    """The class of a buyer from an instant on; an empty class ends the one before."""

    buyer = TypedId("org")
    customer_class = StrictText(max_length=32, min_length=0)
    effective_from = StrictDateTime(required=False)


class CustomerClassOut(OutputSerializer):
    """The class that a provider counts a buyer in."""

    id = SpelledId("ccl")
    provider = SpelledId("org", source="provider_id")
    buyer = SpelledId("org", source="buyer_id")
    buyer_name = serializers.CharField(source="buyer.name")
    customer_class = serializers.CharField(source="code")
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewPriceAdjustment(InputSerializer):
    """What of an offering's rate card is charged, in millionths: 600000 is 60 %, 1000000 ends the one before."""

    offering = TypedId("ofr")
    factor_ppm = StrictInteger(min_value=0, max_value=MAX_FACTOR_PPM)
    meter = StrictText(max_length=32, required=False)
    customer_class = StrictText(max_length=32, required=False)
    qos = StrictChoice(options=Quality, required=False)
    effective_from = StrictDateTime(required=False)


class PriceAdjustmentOut(OutputSerializer):
    """An adjustment of an offering's rate card; what is empty stands for every meter, class or quality."""

    id = SpelledId("adj")
    offering = SpelledId("ofr", source="offering_id")
    meter = serializers.CharField()
    customer_class = serializers.CharField()
    qos = serializers.CharField()
    factor_ppm = serializers.IntegerField()
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewCoefficient(InputSerializer):
    """By how much performance of a precision counts from an instant on, in millionths, and where that comes from."""

    precision = StrictChoice(options=PRECISIONS)
    coefficient_ppm = StrictInteger(min_value=1, max_value=MAX_FACTOR_PPM)
    source = StrictText(max_length=200)  # type: ignore[assignment]  # DRF takes declared fields off the class
    effective_from = StrictDateTime(required=False)


class CoefficientOut(OutputSerializer):
    """A coefficient of normalised performance."""

    id = SpelledId("cof")
    precision = serializers.CharField()
    version = serializers.IntegerField()
    coefficient_ppm = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes declared fields off the class
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewVoucher(InputSerializer):
    """A voucher for a buyer; without meters and resources it covers everything that is supplied."""

    organisation = TypedId("org")
    code = StrictText(max_length=40)
    value = MoneyInput(max_minor=MAX_VOUCHER_MINOR)
    valid_from = StrictDateTime(required=False)
    valid_to = StrictDateTime()
    meters = serializers.ListField(child=StrictText(max_length=32), max_length=MAX_SCOPE, required=False)
    resources = serializers.ListField(child=StrictText(max_length=64), max_length=MAX_SCOPE, required=False)


class VoucherRows(InputSerializer):
    """Vouchers as rows: `content` as CSV, or `rows` as objects of texts with the same columns."""

    content = StrictText(max_length=MAX_FILE_BYTES, multiline=True, required=False)
    rows = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=MAX_ROWS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one of the two."""
        return one_of(attrs, "content", "rows")


class VoucherOut(OutputSerializer):
    """A voucher and how much of it is used."""

    id = SpelledId("vch")
    organisation = SpelledId("org", source="organisation_id")
    code = serializers.CharField()
    value = MoneyOut("value_minor")
    used = MoneyOut("used_minor")
    meters: Any = serializers.ListField(child=serializers.CharField())
    resources: Any = serializers.ListField(child=serializers.CharField())
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()
    issued_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
