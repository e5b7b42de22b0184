"""Rounds and prices as the API shows them."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.foundation.fields import StrictText
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId
from catalog.measures.price import format_micros
from exchange.rounds.models import VOID_REASON_CHARACTERS, Round, RoundPrice
from exchange.rounds.queries import Record
from exchange.rounds.rules import RoundStatus, VoidState


def value(micros: Decimal) -> str:
    """Return an amount in micros of the currency as a decimal text."""
    return format_micros(int(micros), decimals=6)


class RoundOut(OutputSerializer):
    """A scheduled round; what it decided is shown once it is published."""

    id = SpelledId("rnd")
    market = serializers.CharField(source="market.code")
    currency = serializers.CharField(source="market.currency")
    scheduled_at = serializers.DateTimeField()
    locks_at = serializers.DateTimeField()
    publishes_at = serializers.DateTimeField(allow_null=True)
    status = serializers.ChoiceField(choices=[status.value for status in RoundStatus])
    degraded = serializers.BooleanField()
    late_seconds = serializers.IntegerField()
    void_reason = serializers.CharField()
    rules_version = serializers.IntegerField()
    gated_at = serializers.DateTimeField(allow_null=True)
    cleared_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    snapshot_digest = serializers.SerializerMethodField()
    book_digest = serializers.SerializerMethodField()
    outcome_digest = serializers.SerializerMethodField()
    engine_version = serializers.SerializerMethodField()
    welfare = serializers.SerializerMethodField()
    bound = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_snapshot_digest(self, shown: Round) -> str | None:
        """Return the SHA-256 of the frozen book, from the gate on."""
        return shown.snapshot.digest if hasattr(shown, "snapshot") else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_book_digest(self, shown: Round) -> str | None:
        """Return the SHA-256 of the book as it will be published, names blinded, from the gate on."""
        return shown.snapshot.public_digest or None if hasattr(shown, "snapshot") else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_outcome_digest(self, shown: Round) -> str | None:
        """Return the SHA-256 of the outcome as it is published, names blinded."""
        return shown.outcome.public_digest or None if _is_decided(shown) else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_engine_version(self, shown: Round) -> str | None:
        """Return the engine that cleared the book."""
        return shown.outcome.engine_version if _is_decided(shown) else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_welfare(self, shown: Round) -> str | None:
        """Return the value of the filled orders at their limits less the cost at the reserves."""
        return value(shown.outcome.welfare_micros) if _is_decided(shown) else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_bound(self, shown: Round) -> str | None:
        """Return the proven upper bound on the welfare of any allocation."""
        return value(shown.outcome.bound_micros) if _is_decided(shown) else None


def _is_decided(shown: Round) -> bool:
    return shown.status == RoundStatus.PUBLISHED


class PriceOut(OutputSerializer):
    """One price per unit-hour of a cell over a run of hours; nothing was traded at it where the hours are 0."""

    round = SpelledId("rnd", source="round_id")
    market = serializers.CharField(source="market.code")
    cell = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    price = serializers.SerializerMethodField()
    currency = serializers.CharField(source="market.currency")
    unit = serializers.CharField(source="market.unit")
    traded_quantity = serializers.SerializerMethodField()
    published_at = serializers.DateTimeField()

    @extend_schema_field(OpenApiTypes.STR)
    def get_price(self, row: RoundPrice) -> str:
        """Return the price as a decimal text."""
        return format_micros(row.price_micros, decimals=6)

    @extend_schema_field(OpenApiTypes.STR)
    def get_traded_quantity(self, row: RoundPrice) -> str:
        """Return the unit-hours that were traded at the price."""
        return str(row.traded_unit_hours)


class RejectedBlockOut(OutputSerializer):
    """A block that stayed out although the published prices would have suited it."""

    order = serializers.CharField()
    cell = serializers.CharField()
    start = serializers.IntegerField()
    surplus = serializers.IntegerField()


class ResidualOut(OutputSerializer):
    """A strict rule that could not be met, and where."""

    code = serializers.CharField()
    message = serializers.CharField()


class RecordOut(OutputSerializer):
    """What a published round says of itself. Slots count hours from `slot_zero_at`; quantities count lots."""

    round = SpelledId("rnd", source="round.id")
    market = serializers.CharField(source="round.market.code")
    currency = serializers.CharField(source="round.market.currency")
    unit = serializers.CharField(source="round.market.unit")
    lot_units = serializers.IntegerField(source="round.market.lot_units")
    slot_zero_at = serializers.DateTimeField(source="round.market.terms.slot_zero")
    scheduled_at = serializers.DateTimeField(source="round.scheduled_at")
    engine_version = serializers.CharField(source="round.outcome.engine_version")
    rules_version = serializers.IntegerField(source="round.outcome.rules_version")
    degraded = serializers.BooleanField(source="round.degraded")
    strict = serializers.BooleanField(source="is_strict")
    snapshot_digest = serializers.CharField(source="round.snapshot.digest")
    book_digest = serializers.CharField()
    outcome_digest = serializers.CharField()
    certificate_digest = serializers.CharField()
    welfare = serializers.SerializerMethodField()
    bound = serializers.SerializerMethodField()
    paradoxically_rejected = RejectedBlockOut(many=True, source="rejected_blocks")
    residuals = ResidualOut(many=True)

    @extend_schema_field(OpenApiTypes.STR)
    def get_welfare(self, shown: Record) -> str:
        """Return the value of the filled orders at their limits less the cost at the reserves."""
        return value(shown.round.outcome.welfare_micros)

    @extend_schema_field(OpenApiTypes.STR)
    def get_bound(self, shown: Record) -> str:
        """Return the proven upper bound on the welfare of any allocation."""
        return value(shown.round.outcome.bound_micros)


class OwnRowsOut(OutputSerializer):
    """The caller's rows in a published book: public name to own id (a part of an order ends in its first slot)."""

    own = serializers.DictField(child=serializers.CharField())


class DocumentOut(serializers.BaseSerializer[Any]):
    """A public document of a round, in the format of offline clearing."""

    def to_representation(self, instance: Any) -> Any:
        """Return the document as it is."""
        return instance


class VoidRound(InputSerializer):
    """Why a round is given up; members read it."""

    reason = StrictText(max_length=VOID_REASON_CHARACTERS)


class VoidRequestOut(OutputSerializer):
    """A wish to give a round up, and what became of it."""

    round = SpelledId("rnd", source="round_id")
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in VoidState])
    requested_by = SpelledId("usr", source="requested_by_id")
    requested_at = serializers.DateTimeField()
    decided_by = SpelledId("usr", source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
