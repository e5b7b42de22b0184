"""The operator's hand on rounds over HTTP."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView
from exchange.auctions import gates
from exchange.rounds import queries
from exchange.rounds.serializers import RoundOut, VoidRound


class RoundVoid(ExchangeAPIView):
    """Give a round up before its outcome binds; its orders go on to the next one."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    inputs: ClassVar = {"POST": VoidRound}
    outputs: ClassVar = {"POST": RoundOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, round_id: UUID) -> Response:
        """Void the round with the given reason."""
        gates.void_round(self.actor, round_id, reason=self.read()["reason"], now=clock.now())
        return self.answer(queries.get(round_id))
