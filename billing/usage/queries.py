"""Reads of usage, scoped to who asks."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.contracts.queries import party_condition
from billing.usage.errors import NoSuchPoint
from billing.usage.models import AllocationSegment, MeteringPoint, UsageEvent


def visible_to(actor: Actor) -> QuerySet[UsageEvent]:
    """The accepted events that an actor may see: of contracts that are theirs, those they sent, and all to staff."""
    events = UsageEvent.objects.select_related("metering_point")
    if actor.is_staff:
        return events
    condition = party_condition(actor, "contract__")
    if actor.organisation_id is not None and actor.can(Capability.METER):
        condition |= Q(organisation_id=actor.organisation_id)
    return events.filter(condition)


def point_of(reference_id: UUID) -> MeteringPoint:
    """Return the metering point of a lease; raises NoSuchPoint."""
    point = MeteringPoint.objects.filter(reference_id=reference_id).first()
    if point is None:
        raise NoSuchPoint
    return point


def segments_in_force(reference_id: UUID) -> QuerySet[AllocationSegment]:
    """Return what was reported as delivered for a lease, without what was corrected, in order of time."""
    return AllocationSegment.objects.filter(
        metering_point__reference_id=reference_id, reversed_at__isnull=True
    ).order_by("starts_at")
