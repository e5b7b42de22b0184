"""Reads of entries by hand."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.journals.errors import NoSuchJournal
from billing.journals.models import ManualJournal


def visible_journals(actor: Actor) -> QuerySet[ManualJournal]:
    """Return the entries by hand, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return ManualJournal.objects.select_related("proposed_by", "decided_by").prefetch_related("lines__organisation")


def journal(actor: Actor, journal_id: UUID) -> ManualJournal:
    """Return one; raises NoSuchJournal."""
    found = visible_journals(actor).filter(id=journal_id).first()
    if found is None:
        raise NoSuchJournal
    return found
