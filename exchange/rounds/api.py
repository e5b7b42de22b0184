"""Rounds, their documents and prices over HTTP, for everybody."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.filters import ChoiceFilter, InstantFilter, TextFilter, TypedIdFilter, check_parameters
from accounts.web.public import PublicAPIView
from accounts.web.views import ANY_ACTOR, PUBLIC, ExchangeAPIView, ListMixin
from exchange.rounds import queries
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.publication import PublicDocument
from exchange.rounds.rules import RoundStatus
from exchange.rounds.serializers import DocumentOut, OwnRowsOut, PriceOut, RecordOut, RoundOut


class RoundFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which rounds."""

    market = TextFilter(field_name="market__code")
    status = ChoiceFilter(options=RoundStatus)
    scheduled_from = InstantFilter(field_name="scheduled_at", lookup_expr="gte")
    scheduled_before = InstantFilter(field_name="scheduled_at", lookup_expr="lt")

    class Meta:
        model = Round
        fields: ClassVar[list[str]] = []


class Rounds(ListMixin[Round], PublicAPIView):
    """Rounds of all markets, the newest first."""

    required_capability: ClassVar = {"GET": PUBLIC}
    outputs: ClassVar = {"GET": RoundOut}
    filterset_class = RoundFilters

    def rows(self) -> QuerySet[Round]:
        """Return all rounds."""
        return queries.rounds()


class OneRound(PublicAPIView):
    """One round."""

    required_capability: ClassVar = {"GET": PUBLIC}
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


class Prices(ListMixin[RoundPrice], PublicAPIView):
    """Published prices of all rounds, the newest first."""

    required_capability: ClassVar = {"GET": PUBLIC}
    outputs: ClassVar = {"GET": PriceOut}
    filterset_class = PriceFilters

    def rows(self) -> QuerySet[RoundPrice]:
        """Return every published price."""
        return queries.prices()


class RoundPrices(ListMixin[RoundPrice], PublicAPIView):
    """The full price vector of one published round."""

    required_capability: ClassVar = {"GET": PUBLIC}
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


class RoundDocument(PublicAPIView):
    """A public document of a published round, byte for byte what its digest names."""

    required_capability: ClassVar = {"GET": PUBLIC}
    outputs: ClassVar = {"GET": DocumentOut}
    cache_seconds = 24 * 3600  # it never changes

    def document(self, shown: Round) -> PublicDocument:
        """Return the document of a published round."""
        raise NotImplementedError

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, round_id: UUID) -> HttpResponse:
        """Answer the document; 404 before the round is published."""
        check_parameters(request, ())
        document = self.document(queries.published(round_id))
        return self.answer_bytes(document.text, digest=document.digest)


class RoundBook(RoundDocument):
    """The frozen book of a published round, names and ids blinded."""

    def document(self, shown: Round) -> PublicDocument:
        """Return the blinded book."""
        return queries.public_book(shown)


class RoundOutcomeDocument(RoundDocument):
    """Prices, trades, welfare and bound of a published round, naming the rows of its published book."""

    def document(self, shown: Round) -> PublicDocument:
        """Return the blinded outcome."""
        return queries.public_outcome(shown)


class RoundCertificate(RoundDocument):
    """The price vectors from which anybody can check the bound of a published round."""

    def document(self, shown: Round) -> PublicDocument:
        """Return the certificate."""
        return queries.public_certificate(shown)


class RoundRecord(PublicAPIView):
    """What a published round says of itself: digests, marks, blocks left out at a gain, rules not met."""

    required_capability: ClassVar = {"GET": PUBLIC}
    outputs: ClassVar = {"GET": RecordOut}

    def get(self, request: Request, round_id: UUID) -> Response:
        """Answer the record; 404 before the round is published."""
        check_parameters(request, ())
        return self.answer(queries.record(queries.published(round_id)))


class RoundOwnRows(ExchangeAPIView):
    """Which rows of a published book are the caller's own."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": OwnRowsOut}

    def get(self, request: Request, round_id: UUID) -> Response:
        """Answer the public names of the caller's orders and offers, each with its own id."""
        check_parameters(request, ())
        return self.answer({"own": queries.own_rows(queries.published(round_id), self.actor)})
