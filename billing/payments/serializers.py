"""Shapes of top-ups and bank receipts."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictDate, StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.ledger.serializers import MoneyInput, MoneyOut
from billing.payments.models import TopUp
from billing.payments.rules import MAX_TOP_UP_MINOR, BankLine


class RequestTopUp(InputSerializer):
    """How much will come."""

    amount = MoneyInput(max_minor=MAX_TOP_UP_MINOR)


class BankLineInput(InputSerializer):
    """A credit as the bank's statement shows it."""

    bank_reference = StrictText(max_length=64)
    amount = MoneyInput(max_minor=MAX_TOP_UP_MINOR)
    value_date = StrictDate()
    payer = StrictText(max_length=200)
    remittance = StrictText(max_length=200, min_length=0, required=False, default="")

    @staticmethod
    def line(values: dict[str, Any]) -> BankLine:
        """Return the validated fields as the line they describe."""
        return BankLine(**values)


class MatchReceipt(InputSerializer):
    """The top-up that a receipt belongs to."""

    top_up = TypedId("top")


class SplitReceipt(InputSerializer):
    """The top-ups that came in one transfer."""

    top_ups = serializers.ListField(child=TypedId("top"), min_length=2, max_length=50)


class ReturnReceipt(InputSerializer):
    """Why the money goes back."""

    reason = StrictText(max_length=200)


class TopUpOut(OutputSerializer):
    """A top-up; `reference` is what the payer quotes to the bank."""

    id = SpelledId("top")
    organisation = SpelledId("org", source="organisation_id")
    organisation_name = serializers.CharField(source="organisation.name")
    amount = MoneyOut("amount_minor")
    method = serializers.CharField()
    reference = serializers.CharField()
    status = serializers.CharField()
    bank_reference = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_bank_reference(self, top_up: TopUp) -> str | None:
        """Return the bank's id of the transfer, once it is there."""
        receipt = getattr(top_up, "receipt", None)
        return receipt.bank_reference if receipt else None


class BankReceiptOut(OutputSerializer):
    """Money that the bank shows as received."""

    id = SpelledId("rcp")
    bank_reference = serializers.CharField()
    amount = MoneyOut("amount_minor")
    value_date = serializers.DateField()
    payer = serializers.CharField()
    remittance = serializers.CharField()
    status = serializers.CharField()
    top_up = serializers.SerializerMethodField()
    recorded_at = serializers.DateTimeField()
    matched_at = serializers.DateTimeField(allow_null=True)

    def get_top_up(self, receipt: Any) -> str | None:
        """Return the top-up that the money belongs to, once that is known."""
        return SpelledId("top").to_representation(receipt.top_up_id) if receipt.top_up_id else None


class PaymentMethodOut(OutputSerializer):
    """A way to pay in, whether it can be used now, and a sentence about it."""

    method = serializers.CharField()
    available = serializers.BooleanField()
    detail = serializers.CharField()


class PaymentMethodsOut(OutputSerializer):
    """Every way to pay in."""

    data = PaymentMethodOut(many=True)  # type: ignore[assignment]  # a field here, not the property
