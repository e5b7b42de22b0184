"""Reading API keys."""

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.keys.models import ApiKey


def visible_to(actor: Actor) -> QuerySet[ApiKey]:
    """Return the keys of the actor's organisation to those who manage them."""
    if actor.organisation_id is None or not actor.can(Capability.MANAGE_KEYS):
        return ApiKey.objects.none()
    return ApiKey.objects.filter(organisation_id=actor.organisation_id).select_related("created_by")
