"""A run: every check once, and for each difference one open break.

A run never closes anything. It opens what it has not seen, brings amount and cause of what is open up to date, and
marks what it does not find any more. What somebody resolved stays resolved while the difference stays what it was then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.actors.actor import Actor, Capability
from accounts.events import services as events
from accounts.foundation import ids
from billing.reconciliation.checks import CHECKS
from billing.reconciliation.models import Break, BreakNote, ReconciliationRun
from billing.reconciliation.rules import BreakStatus, Item, NoteKind
from catalog.measures.money import Money

PER_KIND: Final = 5_000  # a run takes this many of a kind, the oldest; more are a matter for the operator

_LOCK: Final = 7_301_914  # one run at a time
_BATCH: Final = 1_000

Key = tuple[str, str]


@transaction.atomic
def run(actor: Actor, *, now: datetime) -> ReconciliationRun:
    """Look at everything and bring the breaks up to date. Safe to repeat: without a change it opens nothing."""
    actor.require(Capability.OPERATE_BOOKS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    found: dict[Key, Item] = {}
    cut: list[str] = []
    for kind, check in CHECKS.items():
        items = check(now, PER_KIND + 1)
        if len(items) > PER_KIND:
            cut.append(kind.value)
        found |= {(item.kind.value, item.subject_key): item for item in items[:PER_KIND]}
    return _record(actor, found, cut, now=now)


@dataclass(frozen=True)
class _Sorted:
    """What was found, by what is to be done about it."""

    new: Mapping[Key, Item]
    known: Sequence[tuple[Break, Item]]
    settled: int
    gone: Sequence[Break]


def _record(actor: Actor, found: Mapping[Key, Item], cut: Sequence[str], *, now: datetime) -> ReconciliationRun:
    # Locked: somebody may be resolving one of them just now.
    open_breaks = {
        (row.kind, row.subject_key): row
        for row in Break.objects.select_for_update(no_key=True).filter(status=BreakStatus.OPEN).order_by("id")
    }
    result = _sort(found, open_breaks, cut)
    made = ReconciliationRun.objects.create(
        at=now,
        asked_by_id=actor.user_id,
        found_count=len(found),
        new_count=len(result.new),
        settled_count=result.settled,
        vanished_count=sum(row.difference_gone_at is None for row in result.gone),
        cut_kinds=list(cut),
    )
    notes = [
        *_open(result.new, made, now=now),
        *_refresh(result.known, made, now=now),
        *_mark_gone(result.gone, now=now),
    ]
    BreakNote.objects.bulk_create(notes, batch_size=_BATCH)
    if result.new:
        told = {"run": ids.spell("run", made.id), "new": len(result.new), "found": len(found)}
        events.emit("reconciliation.breaks_found", "reconciliation_run", made.id, None, told, now=now)
    return made


def _sort(found: Mapping[Key, Item], open_breaks: Mapping[Key, Break], cut: Iterable[str]) -> _Sorted:
    known = [(open_breaks[key], item) for key, item in found.items() if key in open_breaks]
    unknown = {key: item for key, item in found.items() if key not in open_breaks}
    resolved = _last_resolved(unknown)
    new = {key: item for key, item in unknown.items() if not _is_as_resolved(item, resolved.get(key))}
    # A kind with more items than were taken may still have those that were not found.
    gone = [row for key, row in open_breaks.items() if key not in found and row.kind not in set(cut)]
    return _Sorted(new, known, len(unknown) - len(new), gone)


def _last_resolved(keys: Iterable[Key]) -> dict[Key, Break]:
    rows = Break.objects.filter(subject_key__in={key for _, key in keys}).exclude(status=BreakStatus.OPEN)
    return {(row.kind, row.subject_key): row for row in rows.order_by("id")}


def _is_as_resolved(item: Item, last: Break | None) -> bool:
    # More of the same is another difference: nobody has looked at those yet.
    return last is not None and _extent(last) == _extent(item)


def _extent(row: Break | Item) -> tuple[int | None, str, int]:
    return row.amount_minor, row.currency, row.count


def _open(new: Mapping[Key, Item], made: ReconciliationRun, *, now: datetime) -> list[BreakNote]:
    rows = [
        Break(
            kind=item.kind,
            subject_key=item.subject_key,
            subject_type=item.subject_type,
            subject_id=item.subject_id,
            organisation_id=item.organisation_id,
            amount_minor=item.amount_minor,
            currency=item.currency,
            cause=item.cause[:500],
            count=item.count,
            since=item.since or now,
            found_in=made,
            seen_in=made,
            status=BreakStatus.OPEN,
        )
        for item in new.values()
    ]
    Break.objects.bulk_create(rows, batch_size=_BATCH)
    return [_note(row.id, f"Found: {row.cause}", now=now) for row in rows]


def _refresh(known: Sequence[tuple[Break, Item]], made: ReconciliationRun, *, now: datetime) -> list[BreakNote]:
    notes = []
    for row, item in known:
        if row.difference_gone_at is not None:
            notes.append(_note(row.id, "The difference is there again.", now=now))
        if row.amount_minor != item.amount_minor:
            notes.append(_note(row.id, f"The amount was {_spelled(row)} and is {_spelled(item)}.", now=now))
        if row.count != item.count:
            notes.append(_note(row.id, f"There were {row.count} and are {item.count}.", now=now))
        row.amount_minor, row.currency, row.cause = item.amount_minor, item.currency, item.cause[:500]
        row.count = item.count
        row.seen_in, row.difference_gone_at = made, None
    Break.objects.bulk_update(
        [row for row, _ in known],
        ["amount_minor", "currency", "cause", "count", "seen_in", "difference_gone_at"],
        batch_size=_BATCH,
    )
    return notes


def _mark_gone(gone: Sequence[Break], *, now: datetime) -> list[BreakNote]:
    fresh = [row for row in gone if row.difference_gone_at is None]
    for row in fresh:
        row.difference_gone_at = now
    Break.objects.bulk_update(fresh, ["difference_gone_at"], batch_size=_BATCH)
    return [_note(row.id, "The difference is gone. Say why before you close it.", now=now) for row in fresh]


def _note(break_id: UUID, text: str, *, now: datetime) -> BreakNote:
    return BreakNote(of_id=break_id, kind=NoteKind.SEEN, text=text, at=now)


def _spelled(row: Break | Item) -> str:
    return "unknown" if row.amount_minor is None else str(Money(row.amount_minor, row.currency))
