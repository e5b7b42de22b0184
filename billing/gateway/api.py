"""Our Stripe balance over HTTP, for those who read the books."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from accounts.actors.actor import Capability
from accounts.web.filters import ChoiceFilter, InstantFilter
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.gateway.models import BalanceTransaction
from billing.gateway.rules import MovementStatus
from billing.gateway.serializers import BalanceTransactionOut


class BalanceFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which rows."""

    status = ChoiceFilter(options=MovementStatus)
    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = BalanceTransaction
        fields: ClassVar[list[str]] = []


class BalanceTransactions(ListMixin[BalanceTransaction], ExchangeAPIView):
    """The rows of our Stripe balance, as Stripe shows them."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": BalanceTransactionOut}
    filterset_class = BalanceFilters

    def rows(self) -> QuerySet[BalanceTransaction]:
        """Return all of them."""
        return BalanceTransaction.objects.all()
