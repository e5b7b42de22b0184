"""Contracts over HTTP."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.web.filters import ChoiceFilter, InstantFilter, TextFilter, TypedIdFilter, check_parameters
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.contracts import queries
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.contracts.serializers import ContractOut, OneContractOut

PARTIES = (Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.VIEW_BOOKS, Capability.SUPPORT)


class ContractFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which contracts."""

    status = ChoiceFilter(options=ContractStatus)
    market = TextFilter(field_name="market_code", max_length=40)
    buyer = TypedIdFilter(prefix="org", field_name="buyer_id")
    provider = TypedIdFilter(prefix="org", field_name="provider_id")
    starts_from = InstantFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = InstantFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Contract
        fields: ClassVar[list[str]] = []


class Contracts(ListMixin[Contract], ExchangeAPIView):
    """The contracts that the caller's organisation bought or sold."""

    required_capability: ClassVar = {"GET": PARTIES}
    outputs: ClassVar = {"GET": ContractOut}
    filterset_class = ContractFilters

    def rows(self) -> QuerySet[Contract]:
        """Return the contracts that the actor may see."""
        return queries.visible_to(self.actor)


class OneContract(ExchangeAPIView):
    """One contract with its price schedule and terms."""

    required_capability: ClassVar = {"GET": PARTIES}
    outputs: ClassVar = {"GET": OneContractOut}

    def get(self, request: Request, contract_id: UUID) -> Response:
        """Answer the contract."""
        check_parameters(request, ())
        return self.answer(queries.one(self.actor, contract_id))
