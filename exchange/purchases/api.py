"""Accepting a quote over HTTP."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView
from exchange.purchases import services
from exchange.quotes import queries
from exchange.quotes.serializers import QuoteOut


class QuoteAcceptance(ExchangeAPIView):
    """Buying what a quote holds, at its price."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    outputs: ClassVar = {"POST": QuoteOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, quote_id: UUID) -> Response:
        """Accept it: the price is held, and its contracts and leases begin their lives. Too late is 409."""
        services.accept(self.actor, quote_id, now=clock.now())
        return self.answer(queries.get(self.actor, quote_id))
