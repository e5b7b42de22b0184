"""Reading the audit trail."""

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.audit.models import AuditRecord


def visible_to(actor: Actor) -> QuerySet[AuditRecord]:
    """Return what an actor may read: staff everything, an administrator their organisation's records."""
    if actor.is_staff or actor.is_system:
        return AuditRecord.objects.all()
    if actor.organisation_id is None or not actor.can(Capability.MANAGE_MEMBERS):
        return AuditRecord.objects.none()
    return AuditRecord.objects.filter(organisation_id=actor.organisation_id)
