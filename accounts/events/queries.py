"""Reading events."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor
from accounts.events.models import Event


def visible_to(actor: Actor) -> QuerySet[Event]:
    """Return the events told to the actor's organisation; staff and the system see all."""
    if actor.is_staff or actor.is_system:
        return Event.objects.all()
    if actor.organisation_id is None:
        return Event.objects.none()
    return Event.objects.filter(organisation_id=actor.organisation_id)


def timeline(actor: Actor, subject_type: str, subject_id: UUID) -> QuerySet[Event]:
    """Return what happened to one subject, oldest first."""
    return visible_to(actor).filter(subject_type=subject_type, subject_id=subject_id).order_by("id")
