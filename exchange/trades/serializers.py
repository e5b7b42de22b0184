"""Trades as the API shows them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.actors.actor import Actor
from accounts.foundation import ids
from accounts.web.serializers import OutputSerializer, SpelledId
from catalog.measures.price import format_micros
from exchange.trades.models import Trade


class TradeOut(OutputSerializer):
    """What was bought and sold. Each side sees its own order, quote or offer, not the other's.

    A trade of a quote has no round and no order.
    """

    id = SpelledId("trd")
    market = serializers.CharField(source="market.code")
    round = SpelledId("rnd", source="round_id", allow_null=True)
    contract = SpelledId("ctr", source="contract_id")
    order = serializers.SerializerMethodField()
    quote = serializers.SerializerMethodField()
    offer = serializers.SerializerMethodField()
    offering = SpelledId("ofr", source="offer.offering_id")
    site = serializers.CharField(source="offer.offering.site.code")
    buyer = SpelledId("org", source="buyer_id")
    provider = SpelledId("org", source="provider_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.SerializerMethodField()
    unit_hours = serializers.SerializerMethodField()
    unit = serializers.CharField(source="market.unit")
    price = serializers.SerializerMethodField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_order(self, trade: Trade) -> str | None:
        """Return the order, for the buyer and staff."""
        if trade.order_id is None or not self._sees(trade.buyer_id):
            return None
        return ids.spell("ord", trade.order_id)

    @extend_schema_field({"type": ["string", "null"]})
    def get_quote(self, trade: Trade) -> str | None:
        """Return the quote that was accepted, for the buyer and staff."""
        if trade.quote_id is None or not self._sees(trade.buyer_id):
            return None
        return ids.spell("qte", trade.quote_id)

    @extend_schema_field({"type": ["string", "null"]})
    def get_offer(self, trade: Trade) -> str | None:
        """Return the offer, for the provider and staff; one of hours that were sold back is not the provider's."""
        is_theirs = trade.offer.origin_id is None or self._is_staff()
        return ids.spell("off", trade.offer_id) if is_theirs and self._sees(trade.provider_id) else None

    @extend_schema_field(OpenApiTypes.STR)
    def get_quantity(self, trade: Trade) -> str:
        """Return the units in each hour."""
        return str(trade.quantity)

    @extend_schema_field(OpenApiTypes.STR)
    def get_unit_hours(self, trade: Trade) -> str:
        """Return the units times the hours."""
        return str(trade.unit_hours)

    @extend_schema_field(OpenApiTypes.STR)
    def get_price(self, trade: Trade) -> str:
        """Return the price per unit-hour: the round's uniform one, or the offer's instant one."""
        return format_micros(trade.price_micros, decimals=6)

    def _sees(self, party_id: Any) -> bool:
        return self._is_staff() or self._actor().organisation_id == party_id

    def _is_staff(self) -> bool:
        return self._actor().is_staff

    def _actor(self) -> Actor:
        actor = self.context["request"].auth
        assert isinstance(actor, Actor)
        return actor
