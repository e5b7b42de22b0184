"""Quotes over HTTP: ask, follow, withdraw. Accepting one is exchange.purchases.api."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, InstantFilter, TextFilter, TypedIdFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from exchange.markets import queries as markets
from exchange.quotes import queries, services
from exchange.quotes.models import Quote
from exchange.quotes.rules import QuoteStatus
from exchange.quotes.serializers import AskQuote, QuoteOut

READERS = (Capability.VIEW_BUYING, Capability.OPERATE, Capability.SUPPORT, Capability.VIEW_BOOKS)


class QuoteFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which quotes."""

    status = ChoiceFilter(options=QuoteStatus)
    market = TextFilter(max_length=40, field_name="market__code")
    project = TypedIdFilter(prefix="prj", field_name="project_id")
    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Quote
        fields: ClassVar[list[str]] = []


class Quotes(ListMixin[Quote], ExchangeAPIView):
    """The quotes of the caller's organisation; everybody's for staff."""

    required_capability: ClassVar = {"GET": READERS, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": AskQuote}
    outputs: ClassVar = {"GET": QuoteOut, "POST": QuoteOut}
    filterset_class = QuoteFilters

    def rows(self) -> QuerySet[Quote]:
        """Return the quotes that the actor may see."""
        return queries.visible_to(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a firm quote; its supply is held until it expires or is decided."""
        given = self.read()
        spec = AskQuote.spec(given, markets.by_code(given["market"]))
        quote = services.ask(self.actor, spec, now=clock.now())
        return self.answer(queries.get(self.actor, quote.id))


class OneQuote(ExchangeAPIView):
    """One quote."""

    required_capability: ClassVar = {"GET": READERS}
    outputs: ClassVar = {"GET": QuoteOut}

    def get(self, request: Request, quote_id: UUID) -> Response:
        """Answer what it holds and costs, and where it stands."""
        check_parameters(request, ())
        return self.answer(queries.get(self.actor, quote_id))


class QuoteWithdrawal(ExchangeAPIView):
    """Letting an open quote go."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    outputs: ClassVar = {"POST": QuoteOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, quote_id: UUID) -> Response:
        """Withdraw it and give its supply back."""
        services.withdraw(self.actor, quote_id, now=clock.now())
        return self.answer(queries.get(self.actor, quote_id))
