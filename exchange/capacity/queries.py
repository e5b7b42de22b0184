"""Reads of capacity."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from exchange.capacity.models import CapacitySlot


def visible_to(actor: Actor) -> QuerySet[CapacitySlot]:
    """Return the hours an actor may read: a provider those of its own offerings, staff all."""
    slots = CapacitySlot.objects.select_related("offering")
    if actor.is_staff:
        return slots
    actor.require(Capability.VIEW_SELLING)
    return slots.filter(offering__provider_id=actor.organisation_id)


def hours_of(actor: Actor, offering_id: UUID) -> QuerySet[CapacitySlot]:
    """Return the visible hours of one offering in the order of time."""
    return visible_to(actor).filter(offering_id=offering_id).order_by("starts_at")
