"""Markets over HTTP: their rules and gates; the operator opens, suspends and resumes them."""

from collections.abc import Callable, Iterable
from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, TextFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from exchange.markets import queries, services
from exchange.markets.models import Market
from exchange.markets.rules import MarketStatus
from exchange.markets.serializers import MarketOut, NewCalendar, NewMarket, ReasonInput


class MarketFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which markets."""

    status = ChoiceFilter(options=MarketStatus)
    service_class = TextFilter(max_length=40)
    unit = TextFilter(max_length=40)

    class Meta:
        model = Market
        fields: ClassVar[list[str]] = []


class Markets(ListMixin[Market], ExchangeAPIView):
    """Every market with its next gate."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": Capability.OPERATE}
    inputs: ClassVar = {"POST": NewMarket}
    outputs: ClassVar = {"GET": MarketOut, "POST": MarketOut}
    filterset_class = MarketFilters

    def rows(self) -> QuerySet[Market]:
        """Return all markets."""
        return queries.all_markets()

    def prepared(self, page: Iterable[Market]) -> Iterable[object]:
        """Say of each what its schedule says now."""
        now = clock.now()
        return [queries.at(market, now) for market in page]

    @idempotent
    def post(self, request: Request) -> Response:
        """Open a market."""
        now = clock.now()
        return self.answer(queries.at(services.create(self.actor, NewMarket.spec(self.read()), now=now), now))


class OneMarket(ExchangeAPIView):
    """One market, by its code."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": MarketOut}

    def get(self, request: Request, code: str) -> Response:
        """Answer its rules and its next gate."""
        check_parameters(request, ())
        return self.answer(queries.at(queries.by_code(code), clock.now()))


class MarketCalendars(ExchangeAPIView):
    """When a market's gates stand."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    inputs: ClassVar = {"POST": NewCalendar}
    outputs: ClassVar = {"POST": MarketOut}

    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Announce another calendar; rounds that are open already keep their gates."""
        now = clock.now()
        calendar = NewCalendar.calendar(self.read())
        return self.answer(queries.at(services.announce(self.actor, queries.by_code(code).id, calendar, now=now), now))


class _Move(ExchangeAPIView):
    """A change of a market's status."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    inputs: ClassVar = {"POST": ReasonInput}
    outputs: ClassVar = {"POST": MarketOut}
    statuses: ClassVar = {"POST": 200}
    verb: ClassVar[Callable[..., Market]]

    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Make the change."""
        now = clock.now()
        market = queries.by_code(code)
        return self.answer(
            queries.at(type(self).verb(self.actor, market.id, reason=self.read()["reason"], now=now), now)
        )


class Suspension(_Move):
    """Taking no more offers and orders."""

    verb = staticmethod(services.suspend)


class Resumption(_Move):
    """Taking offers and orders again."""

    verb = staticmethod(services.resume)
