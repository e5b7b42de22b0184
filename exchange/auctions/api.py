"""The operators' hands on rounds over HTTP."""

from typing import ClassVar
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.serializers import OutputSerializer, SpelledId
from accounts.web.views import ExchangeAPIView
from exchange.auctions import giving_up, watch
from exchange.auctions.watch import Trouble
from exchange.rounds import queries
from exchange.rounds.serializers import RoundOut, VoidRequestOut, VoidRound


class RoundVoid(ExchangeAPIView):
    """Ask that a round be given up before its outcome binds; another person confirms."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    inputs: ClassVar = {"POST": VoidRound}
    outputs: ClassVar = {"POST": VoidRequestOut}

    @idempotent
    def post(self, request: Request, round_id: UUID) -> Response:
        """Ask, with the reason that members will read."""
        return self.answer(giving_up.ask(self.actor, round_id, reason=self.read()["reason"], now=clock.now()))


class RoundVoidConfirmation(ExchangeAPIView):
    """Give up a round that another person asks to give up; its orders go on to the next one."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    outputs: ClassVar = {"POST": RoundOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, round_id: UUID) -> Response:
        """Confirm."""
        giving_up.confirm(self.actor, round_id, now=clock.now())
        return self.answer(queries.get(round_id))


class RoundVoidDeclination(ExchangeAPIView):
    """Decline that a round be given up, or take one's own wish back."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    outputs: ClassVar = {"POST": VoidRequestOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, round_id: UUID) -> Response:
        """Decline."""
        return self.answer(giving_up.decline(self.actor, round_id, now=clock.now()))


class TroubledOut(OutputSerializer):
    """A round to look at, and why."""

    round = SpelledId("rnd", source="round.id")
    market = serializers.CharField(source="round.market.code")
    scheduled_at = serializers.DateTimeField(source="round.scheduled_at")
    trouble = serializers.ChoiceField(choices=[trouble.value for trouble in Trouble])
    detail = serializers.CharField()


class TroubledRoundsOut(OutputSerializer):
    """The rounds to look at."""

    rounds = TroubledOut(many=True)


class TroubledRounds(ExchangeAPIView):
    """Rounds that are overdue, late, skipped, degraded or asked to be given up, of the last seven days."""

    required_capability: ClassVar = {"GET": (Capability.OPERATE, Capability.SUPPORT)}
    outputs: ClassVar = {"GET": TroubledRoundsOut}

    def get(self, request: Request) -> Response:
        """Answer them, what needs somebody now first."""
        check_parameters(request, ())
        now = clock.now()
        return self.answer({"rounds": watch.troubled(now=now, since=now - watch.LOOKED_BACK)})
