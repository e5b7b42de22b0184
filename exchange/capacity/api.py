"""Capacity over HTTP: what a provider has listed, hour by hour."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import InstantFilter
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from exchange.capacity import queries, services
from exchange.capacity.models import CapacitySlot
from exchange.capacity.serializers import CapacityOut, ListCapacity, ListedCapacityOut


class CapacityFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which hours."""

    starts_from = InstantFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = InstantFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = CapacitySlot
        fields: ClassVar[list[str]] = []


class Capacity(ExchangeAPIView):
    """The capacity of the caller's offerings."""

    required_capability: ClassVar = {"POST": Capability.LIST}
    inputs: ClassVar = {"POST": ListCapacity}
    outputs: ClassVar = {"POST": ListedCapacityOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request) -> Response:
        """Say how many units there are; saying it again replaces the number."""
        slots = services.list_capacity(self.actor, **self.read(), now=clock.now())
        return self.answer({"data": slots})


class CapacityOfOffering(ListMixin[CapacitySlot], ExchangeAPIView):
    """The hours of one offering, in the order of time."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_SELLING, Capability.OPERATE, Capability.SUPPORT)}
    outputs: ClassVar = {"GET": CapacityOut}
    filterset_class = CapacityFilters
    keyset = "starts_at"

    def rows(self) -> QuerySet[CapacitySlot]:
        """Return the hours of an offering that the actor may see."""
        return queries.hours_of(self.actor, self.kwargs["offering_id"])
