"""Rounds, their documents and prices over HTTP, for every member."""

import json
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.filters import ChoiceFilter, InstantFilter, TextFilter, TypedIdFilter, check_parameters
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from exchange.rounds import queries
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.rounds.serializers import DocumentOut, PriceOut, RoundOut


class RoundFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which rounds."""

    market = TextFilter(field_name="market__code")
    status = ChoiceFilter(options=RoundStatus)
    scheduled_from = InstantFilter(field_name="scheduled_at", lookup_expr="gte")
    scheduled_before = InstantFilter(field_name="scheduled_at", lookup_expr="lt")

    class Meta:
        model = Round
        fields: ClassVar[list[str]] = []


class Rounds(ListMixin[Round], ExchangeAPIView):
    """Rounds of all markets, the newest first."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": RoundOut}
    filterset_class = RoundFilters

    def rows(self) -> QuerySet[Round]:
        """Return all rounds."""
        return queries.rounds()


class OneRound(ExchangeAPIView):
    """One round."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": RoundOut}

    def get(self, request: Request, round_id: UUID) -> Response:
        """Answer the round."""
        check_parameters(request, ())
        return self.answer(queries.get(round_id))


class PriceFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which prices."""

    market = TextFilter(field_name="market__code")
    cell = TextFilter()
    round = TypedIdFilter(prefix="rnd", field_name="round_id")
    starts_from = InstantFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = InstantFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = RoundPrice
        fields: ClassVar[list[str]] = []


class Prices(ListMixin[RoundPrice], ExchangeAPIView):
    """Published prices of all rounds, the newest first."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": PriceOut}
    filterset_class = PriceFilters

    def rows(self) -> QuerySet[RoundPrice]:
        """Return every published price."""
        return queries.prices()


class RoundPrices(ListMixin[RoundPrice], ExchangeAPIView):
    """The full price vector of one published round."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": PriceOut}

    def get(self, request: Request, *args: UUID, **kwargs: UUID) -> Response:
        """Answer a page of the round's prices; one that is not published has none to show."""
        queries.published(kwargs["round_id"])
        return super().get(request, *args, **kwargs)

    def rows(self) -> QuerySet[RoundPrice]:
        """Return the round's prices."""
        return queries.prices().filter(round_id=self.kwargs["round_id"])

    def model_rows(self) -> QuerySet[RoundPrice]:
        """Return an empty set of the right model."""
        return RoundPrice.objects.none()


class _Document(ExchangeAPIView):
    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": DocumentOut}

    def document(self, shown: Round) -> dict[str, Any]:
        """Return the document of a published round."""
        raise NotImplementedError

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, round_id: UUID) -> Response:
        """Answer the document; 404 before the round is published."""
        check_parameters(request, ())
        return self.answer(self.document(queries.published(round_id)))


class RoundBook(_Document):
    """The frozen book of a published round, names and ids blinded; `own` names the caller's rows."""

    def document(self, shown: Round) -> dict[str, Any]:
        """Return the blinded book."""
        return queries.published_book(shown, self.actor)


class RoundOutcomeDocument(_Document):
    """Prices, trades, welfare and bound of a published round, naming the rows of its published book."""

    def document(self, shown: Round) -> dict[str, Any]:
        """Return the blinded outcome."""
        return queries.published_outcome(shown)


class RoundCertificate(_Document):
    """The price vectors from which anybody can check the bound of a published round."""

    def document(self, shown: Round) -> dict[str, Any]:
        """Return the certificate."""
        certificate: dict[str, Any] = json.loads(shown.outcome.certificate)
        return certificate
