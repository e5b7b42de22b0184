"""Shapes of what is owed to providers."""

from rest_framework import serializers

from accounts.web.serializers import OutputSerializer, SpelledId
from billing.ledger.serializers import MoneyOut


class PayableOut(OutputSerializer):
    """What is owed to a provider: pending in its dispute window, and available to be paid out."""

    organisation = SpelledId("org", source="organisation_id")
    organisation_name = serializers.CharField()
    pending = MoneyOut("pending_minor")
    available = MoneyOut("available_minor")
    next_release_at = serializers.DateTimeField(allow_null=True)


class PayablesOut(OutputSerializer):
    """What is owed, one line for each provider and currency."""

    data = PayableOut(many=True)  # type: ignore[assignment]  # a field here, not the property
