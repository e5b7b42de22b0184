"""Rows are proposed by one person, each with its result, and let in force by another."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids, tables
from accounts.foundation import row_results as results
from accounts.foundation.row_results import RowResult
from accounts.foundation.tables import Row, Unreadable
from billing.policies.dated import Said
from billing.policies.errors import ChangeDecided, ChangeDoesNotFit, NoSuchChange, OwnChange
from billing.policies.kinds import KINDS
from billing.policies.models import PolicyChange
from billing.policies.rules import MAX_ROWS, ChangeStatus, KindName


def propose_csv(actor: Actor, kind: KindName, text: str, *, reason: str, now: datetime) -> list[RowResult]:
    """Propose the rows of a CSV; see `propose`."""
    table = KINDS[kind]
    try:
        rows = tables.read_csv(text, required=table.required, optional=table.optional, most=MAX_ROWS)
    except Unreadable as error:
        actor.require(Capability.OPERATE_BOOKS)
        return results.of_file(error)
    return propose(actor, kind, rows, reason=reason, now=now)


def propose_objects(
    actor: Actor, kind: KindName, objects: Sequence[object], *, reason: str, now: datetime
) -> list[RowResult]:
    """Propose rows that came as JSON objects of texts; see `propose`."""
    table = KINDS[kind]
    rows = tables.of_objects(objects, required=table.required, optional=table.optional)
    return propose(actor, kind, rows, reason=reason, now=now)


@transaction.atomic
def propose(actor: Actor, kind: KindName, rows: Sequence[Row], *, reason: str, now: datetime) -> list[RowResult]:
    """Propose every row that can be, and say of each what became of it: proposed, known or refused."""
    actor.require(Capability.OPERATE_BOOKS)
    person = _person(actor, Capability.OPERATE_BOOKS)
    return [_proposed(actor, person, kind, row, reason=reason, now=now) for row in rows]


def _proposed(actor: Actor, person: UUID, kind: KindName, row: Row, *, reason: str, now: datetime) -> RowResult:
    said = None if row.problems else KINDS[kind].read(row)
    if said is None or row.problems:
        return results.unreadable(row)
    wrong = KINDS[kind].problems(said, now)
    if wrong:
        return results.refused(row, ChangeDoesNotFit(wrong))
    waits = PolicyChange.objects.filter(kind=kind, said=said, status=ChangeStatus.PROPOSED)
    known = waits.first()
    if known is not None:
        return RowResult(row.number, "known", ids.spell("pch", known.id))
    try:
        with transaction.atomic():
            change = PolicyChange.objects.create(
                kind=kind,
                said=said,
                reason=reason,
                status=ChangeStatus.PROPOSED,
                proposed_by_id=person,
                created_at=now,
            )
    except IntegrityError:  # a colleague proposes the same row at this moment, and was faster
        return RowResult(row.number, "known", ids.spell("pch", waits.get().id))
    _tell(actor, change, None, now=now)
    return RowResult(row.number, "proposed", ids.spell("pch", change.id))


@transaction.atomic
def decide(actor: Actor, change_id: UUID, *, is_approved: bool, now: datetime) -> PolicyChange:
    """Let a proposed row in force, or not. Raises NoSuchChange, ChangeDecided, OwnChange, ChangeDoesNotFit."""
    actor.require(Capability.APPROVE_BOOKS)
    person = _person(actor, Capability.APPROVE_BOOKS)
    # One at a time: whether a row fits depends on those that were let in before it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.policies'))")
    change = PolicyChange.objects.select_for_update(no_key=True).filter(id=change_id).first()
    if change is None:
        raise NoSuchChange
    if change.status != ChangeStatus.PROPOSED:
        raise ChangeDecided(change.status)
    if person == change.proposed_by_id:
        raise OwnChange
    if is_approved:
        change.row_id = _added(change, actor.label, now)
    change.status = ChangeStatus.APPROVED if is_approved else ChangeStatus.DECLINED
    change.decided_by_id, change.decided_at = person, now
    change.save(update_fields=["status", "row_id", "decided_by", "decided_at"])
    _tell(actor, change, ChangeStatus.PROPOSED, now=now)
    return change


def _added(change: PolicyChange, by: str, now: datetime) -> UUID:
    table = KINDS[KindName(change.kind)]
    said: Said = change.said
    wrong = table.problems(said, now)
    if wrong:
        raise ChangeDoesNotFit(wrong)
    return table.add(said, by)


def _person(actor: Actor, capability: Capability) -> UUID:
    if actor.user_id is None:
        raise NotAllowed((capability,))  # two people stand for it, and a program is none
    return actor.user_id


def _tell(actor: Actor, change: PolicyChange, before: str | None, *, now: datetime) -> None:
    told = {"kind": str(change.kind), "status": str(change.status), "row": change.said, "reason": change.reason}
    was = None if before is None else {"status": str(before)}
    audit.record(actor, f"policy_change.{change.status}", "policy_change", change.id, was, told, now=now)
    said = told | {"policy_change": ids.spell("pch", change.id)}
    events.emit(f"policy_change.{change.status}", "policy_change", change.id, None, said, now=now)
