"""The verbs of an entry by hand: one person proposes it, another posts or declines it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.errors import Invalid
from billing.journals import rules
from billing.journals.errors import JournalDecided, JournalSettlesSomething, NoSuchJournal, OwnJournal, PersonNeeded
from billing.journals.models import JournalLine, ManualJournal
from billing.journals.rules import Entry, JournalKind, JournalStatus, Subject
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source
from catalog.measures.money import format_minor


@transaction.atomic
def propose(
    actor: Actor,
    kind: JournalKind,
    entries: Sequence[Entry],
    *,
    currency: str,
    reason: str,
    effective_at: datetime,
    now: datetime,
    subject: Subject | None = None,
) -> ManualJournal:
    """Write down what should be posted and why; nothing moves yet. Raises Invalid and PersonNeeded."""
    actor.require(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    if actor.user_id is None:
        raise PersonNeeded
    rules.ledger_lines(entries)
    if effective_at > now:
        raise Invalid.field("/effective_at", effective_at.isoformat(), f"a time up to now, {now.isoformat()}")
    journal = ManualJournal.objects.create(
        kind=kind,
        currency=currency,
        effective_at=effective_at,
        reason=reason,
        subject_type=subject.type if subject else "",
        subject_id=subject.id if subject else None,
        proposed_by_id=actor.user_id,
        proposed_at=now,
        status=JournalStatus.PROPOSED,
    )
    JournalLine.objects.bulk_create(
        JournalLine(
            journal=journal,
            n=n,
            code=entry.code,
            organisation_id=entry.organisation_id,
            amount_minor=entry.amount_minor,
        )
        for n, entry in enumerate(entries, start=1)
    )
    _tell(actor, journal, "propose", None, now=now)
    return journal


@transaction.atomic
def approve(actor: Actor, journal_id: UUID, *, now: datetime, settles: Subject | None = None) -> ManualJournal:
    """Post a colleague's entry.

    Raises NoSuchJournal, JournalDecided, OwnJournal, JournalSettlesSomething, and what the ledger refuses: funds that
    are not there, a closed month.
    """
    actor.require(Capability.APPROVE_BOOKS)
    journal = _locked(actor, journal_id, settles)
    if journal.proposed_by_id == actor.user_id:
        raise OwnJournal
    lines = rules.ledger_lines(
        [Entry(Code(line.code), line.amount_minor, line.organisation_id) for line in journal.lines.all()]
    )
    journal.transaction = ledger.post(
        Source("journal", journal.id, journal.kind),
        lines,
        currency=journal.currency,
        effective_at=journal.effective_at,
        now=now,
        memo=journal.reason[:200],
    )
    return _decide(actor, journal, JournalStatus.POSTED, "post", now=now)


@transaction.atomic
def decline(actor: Actor, journal_id: UUID, *, now: datetime, settles: Subject | None = None) -> ManualJournal:
    """Refuse an entry, or withdraw one's own; raises NoSuchJournal, JournalDecided, JournalSettlesSomething."""
    actor.require(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    return _decide(actor, _locked(actor, journal_id, settles), JournalStatus.DECLINED, "decline", now=now)


def _locked(actor: Actor, journal_id: UUID, settles: Subject | None) -> ManualJournal:
    if actor.user_id is None:
        raise PersonNeeded
    journal = ManualJournal.objects.select_for_update(no_key=True).filter(id=journal_id).first()
    if journal is None:
        raise NoSuchJournal
    if journal.status != JournalStatus.PROPOSED:
        raise JournalDecided(journal.status)
    if journal.subject_id is not None and settles != Subject(journal.subject_type, journal.subject_id):
        raise JournalSettlesSomething(journal.subject_type)
    return journal


def _decide(actor: Actor, journal: ManualJournal, status: JournalStatus, verb: str, *, now: datetime) -> ManualJournal:
    before = journal.status
    journal.status = status
    journal.decided_by_id = actor.user_id
    journal.decided_at = now
    journal.save(update_fields=["status", "decided_by", "decided_at", "transaction"])
    _tell(actor, journal, verb, before, now=now)
    return journal


def _tell(actor: Actor, journal: ManualJournal, verb: str, before: str | None, *, now: datetime) -> None:
    moved = sum(line.amount_minor for line in journal.lines.all() if line.amount_minor > 0)
    after = {
        "status": str(journal.status),
        "kind": str(journal.kind),
        "amount": format_minor(moved, journal.currency),
        "currency": journal.currency,
        "reason": journal.reason,
    }
    audit.record(
        actor, f"journal.{verb}", "journal", journal.id, None if before is None else {"status": before}, after, now=now
    )
    events.emit(
        f"journal.{verb}", "journal", journal.id, None, {"journal": ids.spell("jrn", journal.id)} | after, now=now
    )
