"""The verbs of a break: given to somebody, talked about, explained, or settled by an entry of two people.

The break is locked first, then what the ledger locks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.organisations.models import Membership
from accounts.organisations.rules import OPERATOR_ROLES
from billing.journals import services as journals
from billing.journals.rules import Entry, JournalKind, Subject
from billing.reconciliation.errors import (
    BreakResolved,
    NoSuchBreak,
    NotAClerk,
    NotAmountOfBreak,
    NothingProposed,
    PersonNeeded,
    SettlementWaits,
)
from billing.reconciliation.models import Break, BreakNote
from billing.reconciliation.rules import BreakStatus, NoteKind
from catalog.measures.money import Money, format_minor

_RESOLVES: Final = {
    JournalKind.ADJUSTMENT: BreakStatus.ADJUSTED,
    JournalKind.WRITE_OFF: BreakStatus.WRITTEN_OFF,
}


@transaction.atomic
def comment(actor: Actor, break_id: UUID, text: str, *, now: datetime) -> Break:
    """Say something about a break, open or not."""
    row = _locked(actor, break_id, open_only=False)
    _note(actor, row, NoteKind.COMMENT, text, now=now)
    return row


@transaction.atomic
def assign(actor: Actor, break_id: UUID, owner_id: UUID | None, *, now: datetime) -> Break:
    """Make somebody of finance the owner of an open break, or nobody."""
    row = _locked(actor, break_id)
    if row.owner_id == owner_id:
        return row
    name = "nobody"
    if owner_id is not None:
        member = Membership.objects.filter(user_id=owner_id, role__in=OPERATOR_ROLES).select_related("user").first()
        if member is None:
            raise NotAClerk
        name = member.user.display_name
    before = row.owner_id
    row.owner_id = owner_id
    row.save(update_fields=["owner"])
    _note(actor, row, NoteKind.OWNER, f"Given to {name}.", now=now)
    audit.record(actor, "break.assign", "break", row.id, {"owner": before}, {"owner": owner_id}, now=now)
    return row


@transaction.atomic
def explain(actor: Actor, break_id: UUID, explanation: str, *, now: datetime) -> Break:
    """Close a break because it is none, or because its difference is gone, in somebody's own words."""
    row = _locked(actor, break_id)
    if row.journal_id is not None:
        raise SettlementWaits
    return _resolve(actor, row, BreakStatus.EXPLAINED, explanation, now=now)


@transaction.atomic
def propose_settlement(
    actor: Actor, break_id: UUID, kind: JournalKind, entries: Sequence[Entry], reason: str, *, now: datetime
) -> Break:
    """Propose the entry that adjusts the books for a break, or writes it off; a colleague decides.

    Raises NotAmountOfBreak unless the entry moves what the break is about, SettlementWaits, Invalid, BreakResolved.
    """
    row = _locked(actor, break_id)
    if row.journal_id is not None:
        raise SettlementWaits
    moved = sum(entry.amount_minor for entry in entries if entry.amount_minor > 0)
    if row.amount_minor is not None and moved != abs(row.amount_minor):
        wanted, seen = (Money(amount, row.currency) for amount in (abs(row.amount_minor), moved))
        raise NotAmountOfBreak(wanted=str(wanted), seen=str(seen))
    row.journal = journals.propose(
        actor,
        kind,
        entries,
        currency=row.currency or "CNY",
        reason=reason,
        effective_at=now,
        now=now,
        subject=Subject("break", row.id),
    )
    row.save(update_fields=["journal"])
    _note(actor, row, NoteKind.PROPOSED, f"Proposed to {_verb(kind)}: {reason}", now=now)
    return row


@transaction.atomic
def approve_settlement(actor: Actor, break_id: UUID, *, now: datetime) -> Break:
    """Post the entry that a colleague proposed, which resolves the break; raises NothingProposed, OwnJournal."""
    row = _locked(actor, break_id)
    if row.journal is None:
        raise NothingProposed
    journal = journals.approve(actor, row.journal.id, now=now, settles=Subject("break", row.id))
    return _resolve(actor, row, _RESOLVES[JournalKind(journal.kind)], journal.reason, now=now)


@transaction.atomic
def decline_settlement(actor: Actor, break_id: UUID, *, now: datetime) -> Break:
    """Refuse or withdraw the entry that was proposed; the break stays open."""
    row = _locked(actor, break_id)
    if row.journal is None:
        raise NothingProposed
    journals.decline(actor, row.journal.id, now=now, settles=Subject("break", row.id))
    row.journal = None
    row.save(update_fields=["journal"])
    _note(actor, row, NoteKind.DECLINED, "The proposed entry was declined.", now=now)
    return row


def _locked(actor: Actor, break_id: UUID, *, open_only: bool = True) -> Break:
    actor.require(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    if actor.user_id is None:
        raise PersonNeeded
    row = Break.objects.select_for_update(no_key=True).filter(id=break_id).first()
    if row is None:
        raise NoSuchBreak
    if open_only and row.status != BreakStatus.OPEN:
        raise BreakResolved(row.status)
    return row


def _resolve(actor: Actor, row: Break, status: BreakStatus, explanation: str, *, now: datetime) -> Break:
    row.status = status
    row.explanation = explanation
    row.resolved_by_id = actor.user_id
    row.resolved_at = now
    row.save(update_fields=["status", "explanation", "resolved_by", "resolved_at"])
    _note(actor, row, NoteKind.RESOLVED, f"{status.replace('_', ' ').capitalize()}: {explanation}", now=now)
    told = {"kind": row.kind, "subject": row.subject_key, "status": str(status), "explanation": explanation}
    if row.amount_minor is not None:
        told |= {"amount": format_minor(row.amount_minor, row.currency), "currency": row.currency}
    audit.record(actor, "break.resolve", "break", row.id, {"status": "open"}, told, now=now)
    events.emit("break.resolved", "break", row.id, None, told | {"break": ids.spell("brk", row.id)}, now=now)
    return row


def _note(actor: Actor, row: Break, kind: NoteKind, text: str, *, now: datetime) -> None:
    BreakNote.objects.create(of=row, kind=kind, text=text[:1000], author_id=actor.user_id, at=now)


def _verb(kind: JournalKind) -> str:
    return "write it off" if kind is JournalKind.WRITE_OFF else "adjust the books"
