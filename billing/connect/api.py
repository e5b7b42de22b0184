"""Providers' Stripe accounts and transfers over HTTP; what a provider tells Stripe it tells on a page."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, TypedIdFilter
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.connect import queries, services
from billing.connect.models import ConnectTransfer
from billing.connect.rules import TransferStatus
from billing.connect.serializers import RequestReversal, ReversalOut, StripeAccountOut, StripeTransferOut


class StripeAccount(ExchangeAPIView):
    """The Stripe account of the caller's organisation, to be paid through."""

    required_capability: ClassVar = {"GET": Capability.VIEW_SELLING, "POST": Capability.LIST}
    outputs: ClassVar = {"GET": StripeAccountOut, "POST": StripeAccountOut}

    def get(self, request: Request) -> Response:
        """Answer where it stands."""
        return self.answer(queries.own_account(self.actor))

    @idempotent
    def post(self, request: Request) -> Response:
        """Have one made; there is only ever one."""
        return self.answer(services.open_account(self.actor, now=clock.now()))


class TransferFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which transfers."""

    status = ChoiceFilter(options=TransferStatus)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = ConnectTransfer
        fields: ClassVar[list[str]] = []


class StripeTransfers(ListMixin[ConnectTransfer], ExchangeAPIView):
    """What was sent to the caller's organisation; to everybody for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_SELLING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": StripeTransferOut}
    filterset_class = TransferFilters

    def rows(self) -> QuerySet[ConnectTransfer]:
        """Return the transfers that the actor may see."""
        return queries.visible_transfers(self.actor)


class ReverseTransfer(ExchangeAPIView):
    """Money of a transfer is fetched back."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": RequestReversal}
    outputs: ClassVar = {"POST": ReversalOut}

    @idempotent
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Fetch some or all of it back."""
        return self.answer(services.reverse(self.actor, transfer_id, self.read()["amount"], now=clock.now()))
