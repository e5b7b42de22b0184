"""Previews over HTTP."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.views import ExchangeAPIView
from exchange.markets import queries as markets
from exchange.orders.serializers import PlaceOrder
from exchange.previews import queries
from exchange.previews.serializers import PreviewOut


class OrderPreview(ExchangeAPIView):
    """What a draft order would cost and meet, without placing it. Writes nothing, so it needs no Idempotency-Key."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": PlaceOrder}
    outputs: ClassVar = {"POST": PreviewOut}
    statuses: ClassVar = {"POST": 200}

    def post(self, request: Request) -> Response:
        """Answer the body to post, fee and tax, the share of the book, reasons and alternatives."""
        given = self.read()
        spec = PlaceOrder.spec(given, markets.by_code(given["market"]))
        return self.answer(queries.preview(self.actor, spec, now=clock.now()))
