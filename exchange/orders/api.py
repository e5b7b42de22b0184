"""Orders over HTTP: place, follow, amend, cancel."""

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
from exchange.orders import queries, services
from exchange.orders.models import Order, OrderRevision
from exchange.orders.rules import LimitSource, OrderKind, OrderStatus
from exchange.orders.serializers import AmendOrder, OrderOut, OrderRevisionOut, PlaceOrder

READERS = (Capability.VIEW_BUYING, Capability.OPERATE, Capability.SUPPORT, Capability.VIEW_BOOKS)


class OrderFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which orders."""

    status = ChoiceFilter(options=OrderStatus)
    kind = ChoiceFilter(options=OrderKind)
    limit_source = ChoiceFilter(options=LimitSource)
    market = TextFilter(max_length=40, field_name="market__code")
    project = TypedIdFilter(prefix="prj", field_name="project_id")
    buyer = TypedIdFilter(prefix="org", field_name="buyer_id")
    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Order
        fields: ClassVar[list[str]] = []


class Orders(ListMixin[Order], ExchangeAPIView):
    """The orders of the caller's organisation; everybody's for staff."""

    required_capability: ClassVar = {"GET": READERS, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": PlaceOrder}
    outputs: ClassVar = {"GET": OrderOut, "POST": OrderOut}
    filterset_class = OrderFilters

    def rows(self) -> QuerySet[Order]:
        """Return the orders that the actor may see."""
        return queries.visible_to(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Place an order; what it may cost at most is held from the wallet."""
        given = self.read()
        spec = PlaceOrder.spec(given, markets.by_code(given["market"]))
        return self.answer(services.place(self.actor, spec, now=clock.now()))


class OneOrder(ExchangeAPIView):
    """One order."""

    required_capability: ClassVar = {"GET": READERS, "PATCH": Capability.TRADE}
    inputs: ClassVar = {"PATCH": AmendOrder}
    outputs: ClassVar = {"GET": OrderOut, "PATCH": OrderOut}

    def get(self, request: Request, order_id: UUID) -> Response:
        """Answer what it says and where it stands."""
        check_parameters(request, ())
        return self.answer(queries.get(self.actor, order_id))

    @idempotent
    def patch(self, request: Request, order_id: UUID) -> Response:
        """Change it; a higher limit keeps its place in the queue, and the hold follows."""
        changes = AmendOrder.changes(self.read(), currency=queries.own(self.actor, order_id).currency)
        services.amend(self.actor, order_id, now=clock.now(), **changes)
        return self.answer(queries.get(self.actor, order_id))


class OrderCancellation(ExchangeAPIView):
    """Withdrawing what is open of an order."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    outputs: ClassVar = {"POST": OrderOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel it and release what is held for it; refused in the no-cancel phase."""
        services.cancel(self.actor, order_id, now=clock.now())
        return self.answer(queries.get(self.actor, order_id))


class OrderRevisions(ListMixin[OrderRevision], ExchangeAPIView):
    """Every change of an order, the latest first."""

    required_capability: ClassVar = {"GET": READERS}
    outputs: ClassVar = {"GET": OrderRevisionOut}
    keyset = "-revision"

    def rows(self) -> QuerySet[OrderRevision]:
        """Return the revisions of an order that the actor may see."""
        return OrderRevision.objects.filter(order=queries.get(self.actor, self.kwargs["order_id"]))
