"""Landings as the API shows them."""

from rest_framework import serializers

from accounts.web.serializers import OutputSerializer, SpelledId
from billing.landings.rules import Stage


class WalletLandingOut(OutputSerializer):
    """One time that a wallet ran out. `stops_at` and `releases_at` are when the next stages begin at the earliest."""

    id = SpelledId("lnd")
    organisation = SpelledId("org", source="organisation_id")
    currency = serializers.CharField()
    stage = serializers.ChoiceField(choices=[str(stage) for stage in Stage], source="status")
    began_at = serializers.DateTimeField()
    stops_at = serializers.DateTimeField()
    releases_at = serializers.DateTimeField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    releasing_at = serializers.DateTimeField(allow_null=True)
    lifted_at = serializers.DateTimeField(allow_null=True)
