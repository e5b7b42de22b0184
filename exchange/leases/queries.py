"""Reads of leases, scoped to their parties, with what was delivered so far."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import DecimalField, DurationField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Extract

from accounts.actors.actor import Actor, Capability
from accounts.foundation import sealed
from billing.usage.models import AllocationSegment
from exchange.leases import rules
from exchange.leases.errors import LeaseNotFound
from exchange.leases.models import Lease
from exchange.leases.rules import Segment


@dataclass(frozen=True)
class SegmentShown:
    """A stretch of a lease with what was reported; the deadline for disputes is known once reports are closed."""

    starts_at: datetime
    ends_at: datetime
    quantity: int
    contracted: int
    dispute_deadline: datetime | None


def visible_to(actor: Actor) -> QuerySet[Lease]:
    """Return the leases that the actor's organisation buys or delivers, staff all, with `delivered_unit_seconds`."""
    leases = Lease.objects.select_related(
        "contract", "offering__site", "offering__resource_type", "buyer", "provider"
    ).annotate(delivered_unit_seconds=_delivered_unit_seconds())
    if actor.is_staff or actor.is_system:
        return leases
    sides = Q()
    if actor.can(Capability.VIEW_BUYING):
        sides |= Q(buyer_id=actor.organisation())
    if actor.can(Capability.VIEW_SELLING) or actor.can(Capability.DELIVER):
        sides |= Q(provider_id=actor.organisation())
    return leases.filter(sides) if sides else leases.none()


def get(actor: Actor, lease_id: UUID) -> Lease:
    """Return a lease; raises LeaseNotFound for one that the actor may not know of."""
    found = visible_to(actor).filter(id=lease_id).first()
    if found is None:
        raise LeaseNotFound
    return found


def bought_by(lease: Lease) -> tuple[UUID | None, UUID | None]:
    """Return the order or the quote, one of them None, whose trades the lease's contract delivers."""
    order_id, quote_id = lease.contract.trades.values_list("order_id", "quote_id")[:1].get()
    return order_id, quote_id


def access_of(actor: Actor, lease: Lease) -> str | None:
    """Return how to get in: for the buyer alone, from the hand-over to the end."""
    if actor.organisation_id != lease.buyer_id or not actor.can(Capability.VIEW_BUYING):
        return None
    if lease.status not in rules.RUNNING or lease.access_sealed is None:
        return None
    return sealed.unseal(bytes(lease.access_sealed))


def segments(lease: Lease) -> list[SegmentShown]:
    """Return a lease's time as reported so far, zero in the gaps; from its closing on, all of it as it stands."""
    if lease.closed_at is not None:
        return [
            SegmentShown(row.starts_at, row.ends_at, row.quantity, lease.quantity, row.dispute_deadline)
            for row in lease.delivered_segments.order_by("starts_at")
        ]
    reported = [
        Segment(row.starts_at, row.ends_at, row.quantity)
        for row in AllocationSegment.objects.filter(
            metering_point_id=lease.metering_point_id, reversed_at__isnull=True
        ).order_by("starts_at")
    ]
    # What is not reported yet may still come: the account ends with the last report.
    until = max((segment.ends_at for segment in reported), default=lease.starts_at)
    if until == lease.starts_at:
        return []
    return [
        SegmentShown(segment.starts_at, segment.ends_at, segment.quantity, lease.quantity, None)
        for segment in rules.delivered(lease.starts_at, until, reported)
    ]


def contracted_unit_hours(lease: Lease) -> Decimal:
    """Return the unit-hours that the lease is for."""
    return Decimal(lease.quantity * int((lease.ends_at - lease.starts_at).total_seconds())) / 3600


def _delivered_unit_seconds() -> Subquery:
    seconds = Extract(ExpressionWrapper(F("ends_at") - F("starts_at"), output_field=DurationField()), "epoch")
    exact: DecimalField[Decimal, Decimal] = DecimalField(max_digits=24, decimal_places=6)
    totals = (
        AllocationSegment.objects.filter(metering_point_id=OuterRef("metering_point_id"), reversed_at__isnull=True)
        .order_by()
        .values("metering_point_id")
        .annotate(total=Sum(ExpressionWrapper(F("quantity") * seconds, output_field=exact)))
        .values("total")
    )
    return Subquery(totals, output_field=exact)
