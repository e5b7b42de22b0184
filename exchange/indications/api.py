"""An order's odds over HTTP, for its own organisation."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.filters import check_parameters
from accounts.web.serializers import OutputSerializer, SpelledId
from accounts.web.views import ExchangeAPIView
from catalog.measures.price import format_micros
from exchange.indications import queries
from exchange.indications.models import OrderOdds
from exchange.orders.api import READERS


class OddsOut(OutputSerializer):
    """What an order would have got at the instant of the indication; nothing of it binds.

    `distance` is the limit less the cheapest price that the order's needs and hours allow: below zero, the limit is
    too low by that much.
    """

    order = SpelledId("ord", source="order_id")
    round = SpelledId("rnd", source="indication.round_id")
    taken_at = serializers.DateTimeField(source="indication.taken_at")
    filled_unit_hours = serializers.IntegerField()
    wanted_unit_hours = serializers.IntegerField()
    limit_price = serializers.SerializerMethodField()
    best_price = serializers.SerializerMethodField()
    distance = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string"})
    def get_limit_price(self, odds: OrderOdds) -> str:
        """Return the limit as it stood then."""
        return format_micros(odds.limit_micros, decimals=6)

    @extend_schema_field({"type": ["string", "null"]})
    def get_best_price(self, odds: OrderOdds) -> str | None:
        """Return the cheapest price; null where nothing is on offer for the order."""
        return None if odds.best_price_micros is None else format_micros(odds.best_price_micros, decimals=6)

    @extend_schema_field({"type": ["string", "null"]})
    def get_distance(self, odds: OrderOdds) -> str | None:
        """Return the limit less the cheapest price."""
        if odds.best_price_micros is None:
            return None
        away = odds.limit_micros - odds.best_price_micros
        return f"{'-' if away < 0 else ''}{format_micros(abs(away), decimals=6)}"


class Odds(ExchangeAPIView):
    """What an order would have got in the latest indication."""

    required_capability: ClassVar = {"GET": READERS}
    outputs: ClassVar = {"GET": OddsOut}

    def get(self, request: Request, order_id: UUID) -> Response:
        """Answer the odds; 404 before the order has stood in an indication."""
        check_parameters(request, ())
        return self.answer(queries.odds(self.actor, order_id))
