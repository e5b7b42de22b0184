"""Offers over HTTP: place, follow, amend, withdraw."""

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
from exchange.offers import queries, services
from exchange.offers.models import Offer, OfferRevision
from exchange.offers.rules import OfferStatus
from exchange.offers.serializers import AmendOffer, OfferOut, OfferRevisionOut, PlaceOffer

READERS = (Capability.VIEW_SELLING, Capability.OPERATE, Capability.SUPPORT, Capability.VIEW_BOOKS)


class OfferFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which offers."""

    status = ChoiceFilter(options=OfferStatus)
    market = TextFilter(max_length=40, field_name="market__code")
    offering = TypedIdFilter(prefix="ofr", field_name="offering_id")
    provider = TypedIdFilter(prefix="org", field_name="provider_id")
    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Offer
        fields: ClassVar[list[str]] = []


class Offers(ListMixin[Offer], ExchangeAPIView):
    """The offers of the caller's organisation; everybody's for staff."""

    required_capability: ClassVar = {"GET": READERS, "POST": Capability.LIST}
    inputs: ClassVar = {"POST": PlaceOffer}
    outputs: ClassVar = {"GET": OfferOut, "POST": OfferOut}
    filterset_class = OfferFilters

    def rows(self) -> QuerySet[Offer]:
        """Return the offers that the actor may see."""
        return queries.visible_to(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Place an offer; its units are claimed from the offering's capacity in every hour."""
        given = self.read()
        spec = PlaceOffer.spec(given, market_id=markets.by_code(given["market"]).id)
        offer = services.place(self.actor, spec, lists_capacity=given["lists_capacity"], now=clock.now())
        return self.answer(offer)


class OneOffer(ExchangeAPIView):
    """One offer."""

    required_capability: ClassVar = {"GET": READERS, "PATCH": Capability.LIST}
    inputs: ClassVar = {"PATCH": AmendOffer}
    outputs: ClassVar = {"GET": OfferOut, "PATCH": OfferOut}

    def get(self, request: Request, offer_id: UUID) -> Response:
        """Answer what it says and where it stands."""
        check_parameters(request, ())
        return self.answer(queries.get(self.actor, offer_id))

    @idempotent
    def patch(self, request: Request, offer_id: UUID) -> Response:
        """Change it; a lower reserve keeps its place in the queue."""
        return self.answer(services.amend(self.actor, offer_id, **self.read(), now=clock.now()))


class OfferWithdrawal(ExchangeAPIView):
    """Taking what is left of an offer off the market."""

    required_capability: ClassVar = {"POST": Capability.LIST}
    outputs: ClassVar = {"POST": OfferOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, offer_id: UUID) -> Response:
        """Withdraw it; refused in the no-cancel phase."""
        return self.answer(services.withdraw(self.actor, offer_id, now=clock.now()))


class OfferRevisions(ListMixin[OfferRevision], ExchangeAPIView):
    """Every change of an offer, the latest first."""

    required_capability: ClassVar = {"GET": READERS}
    outputs: ClassVar = {"GET": OfferRevisionOut}
    keyset = "-revision"

    def rows(self) -> QuerySet[OfferRevision]:
        """Return the revisions of an offer that the actor may see."""
        return OfferRevision.objects.filter(offer=queries.get(self.actor, self.kwargs["offer_id"]))
