"""Shapes of card payments, saved methods and refunds."""

from typing import Any

from rest_framework import serializers

from accounts.foundation.fields import StrictText, TypedId
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.cards.models import CardRefund, SavedMethod
from billing.cards.rules import MAX_CARD_PAYMENT_MINOR
from billing.ledger.serializers import MoneyInput, MoneyOut, money


class RequestCardPayment(InputSerializer):
    """How much is to be paid in by card."""

    amount = MoneyInput(max_minor=MAX_CARD_PAYMENT_MINOR)


class RequestRefund(InputSerializer):
    """How much goes back, and why."""

    amount = MoneyInput(max_minor=MAX_CARD_PAYMENT_MINOR)
    reason = StrictText(max_length=200)


class ChooseMethod(InputSerializer):
    """The saved method that invoices are collected from; null for none."""

    method = TypedId("pmt", allow_null=True)


class CardPaymentOut(OutputSerializer):
    """A card payment; `url` is where to pay, once Stripe has made the page and while it is open."""

    id = SpelledId("pay")
    organisation = SpelledId("org", source="organisation_id")
    purpose = serializers.CharField()
    invoice = serializers.SerializerMethodField()
    amount = MoneyOut("amount_minor")
    refunded = MoneyOut("refunded_minor")
    status = serializers.CharField()
    url = serializers.CharField()
    failure = serializers.CharField()
    created_at = serializers.DateTimeField()
    succeeded_at = serializers.DateTimeField(allow_null=True)

    def get_invoice(self, payment: Any) -> str | None:
        """Return the invoice that was collected."""
        return SpelledId("inv").to_representation(payment.invoice_id) if payment.invoice_id else None


class CardMethodOut(OutputSerializer):
    """A card that Stripe keeps: what may be shown of it."""

    id = SpelledId("pmt")
    brand = serializers.CharField()
    last4 = serializers.CharField()
    expires = serializers.SerializerMethodField()
    saved_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)

    def get_expires(self, method: SavedMethod) -> str:
        """Return year and month, such as 2030-12."""
        return f"{method.expires_year:04d}-{method.expires_month:02d}"


class MethodSetupOut(OutputSerializer):
    """A page where a card is left; `url` is there once Stripe has made it and while it is open."""

    id = SpelledId("mst")
    status = serializers.CharField()
    url = serializers.CharField()
    method = serializers.SerializerMethodField()

    def get_method(self, setup: Any) -> str | None:
        """Return the card that was left."""
        return SpelledId("pmt").to_representation(setup.method_id) if setup.method_id else None


class AutopayOut(OutputSerializer):
    """Which saved method invoices are collected from."""

    method = serializers.SerializerMethodField()

    def get_method(self, customer: Any) -> str | None:
        """Return the method, or null."""
        chosen = customer.autopay_method_id
        return SpelledId("pmt").to_representation(chosen) if chosen else None


class RefundOut(OutputSerializer):
    """Money of a card payment on its way back."""

    id = SpelledId("rfd")
    card_payment = SpelledId("pay", source="payment_id")
    amount = serializers.SerializerMethodField()
    status = serializers.CharField()
    reason = serializers.CharField()
    failure = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_amount(self, refund: CardRefund) -> dict[str, str]:
        """Return the amount in the payment's currency."""
        return money(refund.amount_minor, refund.payment.currency)
