"""Bounds and parked accounts over HTTP, for those who keep the books."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import TypedIdFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.bounds import queries, services
from billing.bounds.models import BillBound, Parking
from billing.bounds.serializers import BoundsOut, ParkingOut, ReleaseParking


class BoundFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Whose bounds."""

    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = BillBound
        fields: ClassVar[list[str]] = []


class ParkingFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which accounts."""

    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = Parking
        fields: ClassVar[list[str]] = []


class BillBounds(ListMixin[BillBound], ExchangeAPIView):
    """The safety bounds on bills, by date."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": BoundsOut}
    filterset_class = BoundFilters

    def rows(self) -> QuerySet[BillBound]:
        """Return all bounds."""
        return queries.visible_bounds(self.actor)


class ParkedAccounts(ListMixin[Parking], ExchangeAPIView):
    """The accounts that are or were parked."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": ParkingOut}
    filterset_class = ParkingFilters

    def rows(self) -> QuerySet[Parking]:
        """Return all of them."""
        return queries.visible_parkings(self.actor)


class OneParkedAccount(ExchangeAPIView):
    """One parked account."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": ParkingOut}

    def get(self, request: Request, parking_id: UUID) -> Response:
        """Answer what was breached and where it stands."""
        check_parameters(request, ())
        return self.answer(queries.parking(self.actor, parking_id))


class ReleaseParkedAccount(ExchangeAPIView):
    """Finance lets an account be billed again."""

    required_capability: ClassVar = {"POST": (Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)}
    inputs: ClassVar = {"POST": ReleaseParking}
    outputs: ClassVar = {"POST": ParkingOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, parking_id: UUID) -> Response:
        """Release it, or above the threshold ask a colleague to."""
        reason = self.read()["reason"]
        return self.answer(services.release(self.actor, parking_id, reason=reason, now=clock.now()))
