"""Trades over HTTP, for their parties."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.web.filters import InstantFilter, TextFilter, TypedIdFilter, check_parameters
from accounts.web.views import ExchangeAPIView, ListMixin
from exchange.trades import queries
from exchange.trades.models import Trade
from exchange.trades.serializers import TradeOut

VIEWERS = (Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.VIEW_BOOKS, Capability.SUPPORT)


class TradeFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which trades."""

    market = TextFilter(field_name="market__code")
    round = TypedIdFilter(prefix="rnd", field_name="round_id")
    contract = TypedIdFilter(prefix="ctr", field_name="contract_id")
    order = TypedIdFilter(prefix="ord", method="by_order")
    quote = TypedIdFilter(prefix="qte", method="by_quote")
    offer = TypedIdFilter(prefix="off", method="by_offer")
    starts_from = InstantFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = InstantFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Trade
        fields: ClassVar[list[str]] = []

    def by_order(self, trades: QuerySet[Trade], name: str, value: UUID | None) -> QuerySet[Trade]:
        """Return an order's trades, to its buyer and staff: a provider does not learn what belongs together."""
        return self._own(trades, "buyer_id", "order_id", value)

    def by_quote(self, trades: QuerySet[Trade], name: str, value: UUID | None) -> QuerySet[Trade]:
        """Return a quote's trades, to its buyer and staff."""
        return self._own(trades, "buyer_id", "quote_id", value)

    def by_offer(self, trades: QuerySet[Trade], name: str, value: UUID | None) -> QuerySet[Trade]:
        """Return an offer's trades, to its provider and staff."""
        return self._own(trades, "provider_id", "offer_id", value)

    def _own(self, trades: QuerySet[Trade], party: str, field: str, value: UUID | None) -> QuerySet[Trade]:
        if value is None:
            return trades
        actor = self.request.auth
        mine = trades if actor.is_staff else trades.filter(**{party: actor.organisation_id})
        return mine.filter(**{field: value})


class Trades(ListMixin[Trade], ExchangeAPIView):
    """The trades of the caller's organisation on both sides, the newest first; all of them for staff."""

    required_capability: ClassVar = {"GET": VIEWERS}
    outputs: ClassVar = {"GET": TradeOut}
    filterset_class = TradeFilters

    def rows(self) -> QuerySet[Trade]:
        """Return what the actor may see."""
        return queries.visible_to(self.actor)


class OneTrade(ExchangeAPIView):
    """One trade."""

    required_capability: ClassVar = {"GET": VIEWERS}
    outputs: ClassVar = {"GET": TradeOut}

    def get(self, request: Request, trade_id: UUID) -> Response:
        """Answer the trade."""
        check_parameters(request, ())
        return self.answer(queries.get(self.actor, trade_id))
