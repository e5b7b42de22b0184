"""Shapes of providers' Stripe accounts and of what is sent to them."""

from rest_framework import serializers

from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from billing.ledger.rules import MAX_AMOUNT_MINOR
from billing.ledger.serializers import MoneyInput, MoneyOut


class RequestReversal(InputSerializer):
    """How much is fetched back."""

    amount = MoneyInput(max_minor=MAX_AMOUNT_MINOR)


class StripeAccountOut(OutputSerializer):
    """A provider's account with Stripe: preparing, onboarding, enabled or refused."""

    organisation = SpelledId("org", source="organisation_id")
    stripe_id = serializers.CharField()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class StripeTransferOut(OutputSerializer):
    """Money sent to a provider through Stripe."""

    id = SpelledId("ctf")
    organisation = SpelledId("org", source="organisation_id")
    amount = MoneyOut("amount_minor")
    reversed = MoneyOut("reversed_minor")
    status = serializers.CharField()
    failure = serializers.CharField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class ReversalOut(OutputSerializer):
    """Money on its way back from a provider's Stripe balance."""

    status = serializers.CharField()
    transfer = SpelledId("ctf", source="transfer_id")
    created_at = serializers.DateTimeField()
