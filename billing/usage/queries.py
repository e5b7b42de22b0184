"""Reads of usage, scoped to who asks."""

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.contracts.queries import party_condition
from billing.usage.models import UsageEvent


def visible_to(actor: Actor) -> QuerySet[UsageEvent]:
    """The accepted events that an actor may see: of contracts that are theirs, those they sent, and all to staff."""
    events = UsageEvent.objects.select_related("metering_point")
    if actor.is_staff:
        return events
    condition = party_condition(actor, "contract__")
    if actor.organisation_id is not None and actor.can(Capability.METER):
        condition |= Q(organisation_id=actor.organisation_id)
    return events.filter(condition)
