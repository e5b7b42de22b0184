"""Sites as the API shows and takes them."""

from decimal import Decimal

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation import fields
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from catalog.sites import queries, rules
from catalog.sites.models import SiteLatency
from catalog.sites.rules import GridConnection, LatencyMetric


class ClusterOut(OutputSerializer):
    """A data centre cluster."""

    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()
    areas_en = serializers.ListField(child=serializers.CharField())
    areas_zh = serializers.ListField(child=serializers.CharField())


class HubOut(OutputSerializer):
    """A hub of the national network, or (national: false) a region outside of it."""

    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()
    national = serializers.BooleanField()
    clusters = ClusterOut(many=True)


class MetroOut(OutputSerializer):
    """A city that latency is stated to."""

    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()


class LatencyOut(OutputSerializer):
    """The latency to a metro in whole milliseconds, rounded up, and the tightest national tier it keeps."""

    metro = serializers.CharField(source="metro.code")
    latency_ms = serializers.IntegerField()
    metric = serializers.CharField()
    rtt_ms = serializers.SerializerMethodField()
    tier = serializers.SerializerMethodField()
    measured_at = serializers.DateTimeField()

    @extend_schema_field(OpenApiTypes.INT)
    def get_rtt_ms(self, latency: SiteLatency) -> int:
        """Return the latency as a round trip."""
        return rules.round_trip_ms(latency.latency_ms, latency.metric)

    @extend_schema_field({"type": ["string", "null"]})
    def get_tier(self, latency: SiteLatency) -> str | None:
        """Return the code of the tier, null when it keeps none."""
        tier = rules.tier_met(self.get_rtt_ms(latency), queries.latency_tiers())
        return tier.code if tier else None


class SiteOut(OutputSerializer):
    """A site."""

    id = SpelledId("sit")
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    hub = serializers.CharField(source="hub.code")
    cluster = serializers.CharField(source="cluster.code", default=None, allow_null=True)
    operator = SpelledId("org", source="operator_id")
    status = serializers.CharField()
    pue = serializers.DecimalField(4, 3, allow_null=True)
    green_pct = serializers.IntegerField(source="green_percent", allow_null=True)
    security = serializers.IntegerField(source="security_level")
    grid_connection = serializers.CharField()
    latencies = LatencyOut(many=True)
    created_at = serializers.DateTimeField()


class NewSite(InputSerializer):
    """A site to be proposed."""

    code = fields.StrictText(max_length=32)
    name = fields.StrictText(max_length=120)
    name_zh = fields.StrictText(max_length=120, min_length=0, required=False)
    hub = fields.StrictText(max_length=32)
    cluster = fields.StrictText(max_length=48, required=False)
    pue = fields.StrictDecimal(
        max_digits=4, decimal_places=3, min_value=Decimal(1), max_value=Decimal("9.999"), required=False
    )
    green_pct = fields.StrictInteger(min_value=0, max_value=100, required=False, source="green_percent")
    security = fields.StrictInteger(min_value=2, max_value=4, source="security_level")
    grid_connection = fields.StrictChoice(options=GridConnection, required=False)


class NewLatency(InputSerializer):
    """A measured latency in milliseconds."""

    metro = fields.StrictText(max_length=32)
    latency_ms = fields.StrictDecimal(
        max_digits=8, decimal_places=3, min_value=Decimal("0.001"), max_value=Decimal(10_000)
    )
    metric = fields.StrictChoice(options=LatencyMetric, required=False)
