"""Reading invitations."""

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.invitations.models import Invitation

Invitations = QuerySet[Invitation]


def visible_to(actor: Actor) -> Invitations:
    """Return the invitations of the actor's organisation to those who manage its members."""
    if actor.organisation_id is None or not actor.can(Capability.MANAGE_MEMBERS):
        return Invitation.objects.none()
    return Invitation.objects.filter(organisation_id=actor.organisation_id)


def open_of(actor: Actor) -> Invitations:
    """Return those that nobody has accepted or withdrawn."""
    return visible_to(actor).filter(accepted_at=None, withdrawn_at=None)
