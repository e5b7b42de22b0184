"""Leases over HTTP: for their buyers to follow, for providers and their agents to deliver."""

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
from exchange.leases import pauses, queries, resales, returns, rules, services
from exchange.leases.models import Lease
from exchange.leases.rules import EndReason, LeaseStatus
from exchange.leases.serializers import (
    ActivateLease,
    EndLease,
    LeaseOut,
    PauseLease,
    ResaleOut,
    ResumeLease,
    ReturnedOut,
    ReturnUnits,
    ScheduleOut,
    SegmentsOut,
    SellBackUnits,
)
from exchange.offers.models import Offer

VIEWERS = (
    Capability.VIEW_BUYING,
    Capability.VIEW_SELLING,
    Capability.DELIVER,
    Capability.VIEW_BOOKS,
    Capability.SUPPORT,
)


RESELLERS = (Capability.VIEW_BUYING, Capability.VIEW_BOOKS, Capability.SUPPORT)


class LeaseFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which leases."""

    status = ChoiceFilter(options=LeaseStatus)
    market = TextFilter(field_name="contract__market_code")
    contract = TypedIdFilter(prefix="ctr", field_name="contract_id")
    offering = TypedIdFilter(prefix="ofr", field_name="offering_id")
    starts_before = InstantFilter(field_name="starts_at", lookup_expr="lt")
    ends_after = InstantFilter(field_name="ends_at", lookup_expr="gt")

    class Meta:
        model = Lease
        fields: ClassVar[list[str]] = []


class Leases(ListMixin[Lease], ExchangeAPIView):
    """The leases that the caller's organisation buys or delivers, the newest first; all of them for staff."""

    required_capability: ClassVar = {"GET": VIEWERS}
    outputs: ClassVar = {"GET": LeaseOut}
    filterset_class = LeaseFilters

    def rows(self) -> QuerySet[Lease]:
        """Return what the actor may see."""
        return queries.visible_to(self.actor)


class OneLease(ExchangeAPIView):
    """One lease."""

    required_capability: ClassVar = {"GET": VIEWERS}
    outputs: ClassVar = {"GET": LeaseOut}

    def get(self, request: Request, lease_id: UUID) -> Response:
        """Answer the lease."""
        check_parameters(request, ())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseSegments(ExchangeAPIView):
    """What was delivered of a lease, stretch by stretch."""

    required_capability: ClassVar = {"GET": VIEWERS}
    outputs: ClassVar = {"GET": SegmentsOut}

    def get(self, request: Request, lease_id: UUID) -> Response:
        """Answer the stretches in order."""
        check_parameters(request, ())
        lease = queries.get(self.actor, lease_id)
        shown = {"lease": lease.id, "final": lease.closed_at is not None, "segments": queries.segments(lease)}
        return self.answer(shown)


class LeaseSchedule(ExchangeAPIView):
    """What is to be handed over of a lease, what is paused or on offer, and what giving hours up comes to."""

    required_capability: ClassVar = {"GET": VIEWERS}
    outputs: ClassVar = {"GET": ScheduleOut}

    def get(self, request: Request, lease_id: UUID) -> Response:
        """Answer the runs in order."""
        check_parameters(request, ())
        lease = queries.get(self.actor, lease_id)
        return self.answer(
            {
                "lease": lease.id,
                "runs": queries.owed(lease),
                "paused": queries.pauses(lease),
                "offered": queries.on_offer(self.actor, lease),
                "credits": queries.stated_credits(lease),
                "returnable_from": rules.first_change(queries.market_of(lease).terms, now=clock.now()),
            }
        )


class LeaseReturn(ExchangeAPIView):
    """Hand units of a lease back before their time."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": ReturnUnits}
    outputs: ClassVar = {"POST": ReturnedOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Hand the rectangle back."""
        returned = returns.hand_back(self.actor, lease_id, ReturnUnits.rectangle(self.read()), now=clock.now())
        return self.answer({"lease": queries.get(self.actor, lease_id), "credited": returned.credited})


class LeaseResales(ListMixin[Offer], ExchangeAPIView):
    """Hours of a lease that its buyer sells back, the newest offer first."""

    required_capability: ClassVar = {"GET": RESELLERS, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": SellBackUnits}
    outputs: ClassVar = {"GET": ResaleOut, "POST": ResaleOut}

    def rows(self) -> QuerySet[Offer]:
        """Return the offers of the lease."""
        return queries.resales(self.actor, self.kwargs["lease_id"])

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Offer the rectangle in the next rounds."""
        offer = resales.sell_back(self.actor, lease_id, SellBackUnits.spec(self.read()), now=clock.now())
        return self.answer(queries.resale(self.actor, lease_id, offer.id))


class OneLeaseResale(ExchangeAPIView):
    """Hours of a lease that its buyer sells back by one offer."""

    required_capability: ClassVar = {"GET": RESELLERS}
    outputs: ClassVar = {"GET": ResaleOut}

    def get(self, request: Request, lease_id: UUID, offer_id: UUID) -> Response:
        """Answer what it says and what was sold of it."""
        check_parameters(request, ())
        return self.answer(queries.resale(self.actor, lease_id, offer_id))


class LeaseResaleWithdrawal(ExchangeAPIView):
    """Taking hours of a lease that are not sold yet off the market."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    outputs: ClassVar = {"POST": ResaleOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID, offer_id: UUID) -> Response:
        """Withdraw them; refused in the no-cancel phase."""
        resales.withdraw(self.actor, lease_id, offer_id, now=clock.now())
        return self.answer(queries.resale(self.actor, lease_id, offer_id))


class LeasePause(ExchangeAPIView):
    """Do without a lease for some hours ahead."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": PauseLease}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Pause the lease."""
        pauses.pause(self.actor, lease_id, pauses.Window(**self.read()), now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseResume(ExchangeAPIView):
    """Take a paused lease up again."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": ResumeLease}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Resume the lease."""
        pauses.resume(self.actor, lease_id, starts_at=self.read()["starts_at"], now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseAcknowledge(ExchangeAPIView):
    """Say that a lease will be delivered."""

    required_capability: ClassVar = {"POST": Capability.DELIVER}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Acknowledge the lease."""
        services.acknowledge(self.actor, lease_id, now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseProvision(ExchangeAPIView):
    """Say that hand-over is being prepared."""

    required_capability: ClassVar = {"POST": Capability.DELIVER}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Mark the lease as being provisioned."""
        services.provision(self.actor, lease_id, now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseActivate(ExchangeAPIView):
    """Hand a lease over with the details of how to get in."""

    required_capability: ClassVar = {"POST": Capability.DELIVER}
    inputs: ClassVar = {"POST": ActivateLease}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Activate the lease; on a running one, replace the details."""
        services.activate(self.actor, lease_id, access=self.read()["access"], now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseHeartbeat(ExchangeAPIView):
    """Say that a lease is being delivered. Moves nothing, so it needs no Idempotency-Key."""

    required_capability: ClassVar = {"POST": Capability.DELIVER}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    def post(self, request: Request, lease_id: UUID) -> Response:
        """Take the heartbeat."""
        services.heartbeat(self.actor, lease_id, now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))


class LeaseEnd(ExchangeAPIView):
    """Close a lease's reports at its time, or stop it early for a reason."""

    required_capability: ClassVar = {"POST": (Capability.DELIVER, Capability.OPERATE)}
    inputs: ClassVar = {"POST": EndLease}
    outputs: ClassVar = {"POST": LeaseOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, lease_id: UUID) -> Response:
        """End the lease."""
        services.end(self.actor, lease_id, reason=EndReason(self.read()["reason"]), now=clock.now())
        return self.answer(queries.get(self.actor, lease_id))
