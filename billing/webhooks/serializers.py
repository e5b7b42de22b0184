"""Shapes of Stripe's messages."""

from rest_framework import serializers

from accounts.foundation.fields import StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId


class StripeEventOut(OutputSerializer):
    """A message: what it is about, and what became of it. A parked one waits for a person."""

    id = SpelledId("sev")
    stripe_id = serializers.CharField()
    type = serializers.CharField()
    object_id = serializers.CharField()
    state = serializers.CharField()
    note = serializers.CharField()
    received_at = serializers.DateTimeField()
    handled_at = serializers.DateTimeField(allow_null=True)


class SetAside(InputSerializer):
    """Why a message is of no concern here."""

    reason = StrictText(max_length=200)
