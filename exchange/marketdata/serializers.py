"""Rows of the public tables, in JSON and CSV alike."""

from collections.abc import Iterable
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.web.serializers import OutputSerializer, SpelledId
from catalog.measures.price import format_micros
from exchange.marketdata.rules import Basis
from exchange.rounds.rules import RoundStatus


@extend_schema_field(OpenApiTypes.STR)
class Micros(serializers.Field[int, Any, str, Any]):
    """A price or a sum in micros of the currency, as a decimal text with six places."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        """Return the text."""
        return format_micros(int(value), decimals=6)


class RowOut(OutputSerializer):
    """A row whose fields are, in this order, the columns of the CSV."""

    @classmethod
    def columns(cls) -> list[str]:
        """Return the names of the columns."""
        return list(cls().fields)


class LevelOut(RowOut):
    """Unit-hours offered or wanted at one price for one delivery day."""

    resource_type = serializers.CharField()
    hub = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    side = serializers.ChoiceField(choices=["supply", "demand"])
    price = Micros(source="price_micros")
    unit_hours = serializers.IntegerField()


class CollarRowOut(RowOut):
    """The lowest and highest price of a kind now, and the reference: what the last round to trade it traded it at."""

    resource_type = serializers.CharField()
    reference = Micros(source="reference_micros")
    lowest = Micros(source="lowest_micros")
    highest = Micros(source="highest_micros")
    published_at = serializers.DateTimeField()


class IndicativeRowOut(RowOut):
    """What a cell would trade at which price if the gate were now; nothing of it binds."""

    round = SpelledId("rnd", source="round_id")
    taken_at = serializers.DateTimeField()
    cell = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    price = Micros(source="price_micros")
    matched_unit_hours = serializers.IntegerField()
    spare_unit_hours = serializers.IntegerField()
    unmet_unit_hours = serializers.IntegerField()
    imbalance_unit_hours = serializers.IntegerField()


class RoundRowOut(RowOut):
    """A round, what it traded and what proves it; empty where it has not got so far."""

    round = SpelledId("rnd", source="id")
    scheduled_at = serializers.DateTimeField()
    status = serializers.CharField()
    late_seconds = serializers.IntegerField()
    degraded = serializers.BooleanField()
    published_at = serializers.DateTimeField(allow_null=True)
    traded_unit_hours = serializers.IntegerField()
    turnover = Micros(source="turnover_micros")
    welfare = serializers.SerializerMethodField()
    bound = serializers.SerializerMethodField()
    book_digest = serializers.SerializerMethodField()
    outcome_digest = serializers.SerializerMethodField()
    void_reason = serializers.CharField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_welfare(self, shown: Any) -> str | None:
        """Return the value of the filled orders at their limits less the cost at the reserves."""
        return format_micros(int(shown.outcome.welfare_micros), decimals=6) if _is_published(shown) else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_bound(self, shown: Any) -> str | None:
        """Return the proven upper bound on the welfare of any allocation."""
        return format_micros(int(shown.outcome.bound_micros), decimals=6) if _is_published(shown) else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_book_digest(self, shown: Any) -> str | None:
        """Return the SHA-256 of the blinded book."""
        return shown.snapshot.public_digest or None if hasattr(shown, "snapshot") else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_outcome_digest(self, shown: Any) -> str | None:
        """Return the SHA-256 of the blinded outcome."""
        return shown.outcome.public_digest or None if _is_published(shown) else None


def _is_published(shown: Any) -> bool:
    return bool(shown.status == RoundStatus.PUBLISHED)


class TradeRowOut(RowOut):
    """A trade without names: units in every hour of a run at one price."""

    round = SpelledId("rnd", source="round_id")
    traded_at = serializers.DateTimeField(source="created_at")
    resource_type = serializers.CharField(source="offer.offering.resource_type.code")
    hub = serializers.CharField(source="offer.offering.site.hub.code")
    site = serializers.CharField(source="offer.offering.site.code")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField()
    unit_hours = serializers.IntegerField()
    price = Micros(source="price_micros")


class PriceRowOut(RowOut):
    """What a round priced a run of hours of a cell at; nothing was traded at it where the hours are 0."""

    cell = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    price = Micros(source="price_micros")
    traded_unit_hours = serializers.IntegerField()
    round = SpelledId("rnd", source="round_id")
    published_at = serializers.DateTimeField()


class IndexRowOut(RowOut):
    """The index of one kind of resource in one hub on one delivery day."""

    resource_type = serializers.CharField()
    hub = serializers.CharField()
    day = serializers.DateField()
    price = Micros(source="price_micros")
    basis = serializers.ChoiceField(choices=[basis.value for basis in Basis])
    value_of = serializers.DateField()
    unit_hours = serializers.IntegerField()
    method = serializers.CharField()


class TableOut(OutputSerializer):
    """A table: the market it is of, its rows, and whether there are more than are shown."""

    row: ClassVar[type[RowOut]]

    market = serializers.CharField()
    currency = serializers.CharField()
    unit = serializers.CharField()
    timezone = serializers.CharField()
    has_more = serializers.BooleanField()


class DepthOut(TableOut):
    """What is offered and wanted at which price."""

    row = LevelOut
    rows = LevelOut(many=True)


class IndicativeOut(TableOut):
    """The latest indication; no rows before the no-cancel phase."""

    row = IndicativeRowOut
    rows = IndicativeRowOut(many=True)


class CollarsOut(TableOut):
    """The collars in force; no rows in a market whose prices may be anywhere between its bounds."""

    row = CollarRowOut
    rows = CollarRowOut(many=True)


class RoundsOut(TableOut):
    """Rounds, the newest first."""

    row = RoundRowOut
    rows = RoundRowOut(many=True)


class TradesOut(TableOut):
    """Trades without names, the newest first."""

    row = TradeRowOut
    rows = TradeRowOut(many=True)


class PricesOut(TableOut):
    """Prices by cell and hour of delivery."""

    row = PriceRowOut
    rows = PriceRowOut(many=True)


class IndexOut(TableOut):
    """The daily index."""

    row = IndexRowOut
    rows = IndexRowOut(many=True)


def spelled(rows: Iterable[Any], row: type[RowOut]) -> Iterable[dict[str, Any]]:
    """Yield rows as JSON and CSV have them, one at a time."""
    shape = row()
    yield from map(shape.to_representation, rows)
