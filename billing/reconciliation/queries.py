"""Reads of the workbench: what does not match at this moment, runs, breaks and who may be given one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.organisations.models import User
from accounts.organisations.rules import Role
from billing.reconciliation import usage
from billing.reconciliation.checks import CHECKS
from billing.reconciliation.errors import NoSuchBreak
from billing.reconciliation.models import Break, ReconciliationRun
from billing.reconciliation.rules import Item, ItemKind

EVERY: Final = 1_000_000  # of a kind: more is not a list any more
PER_KIND: Final = 200  # a kind with more says so, and shows its oldest

_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)
_CLERKS: Final = (Role.FINANCE_OPERATOR, Role.FINANCE_APPROVER)


@dataclass(frozen=True)
class Unmatched:
    """What does not match, oldest first; differences of whole accounts have no age and stand first."""

    at: datetime
    items: tuple[Item, ...]
    cut_kinds: tuple[ItemKind, ...]  # kinds with more items than are shown


def unmatched_items(actor: Actor, *, now: datetime) -> Unmatched:
    """Return every item that does not match at this moment, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    found = {kind: check(now, PER_KIND + 1) for kind, check in CHECKS.items()}
    items = [item for rows in found.values() for item in rows[:PER_KIND]]
    return Unmatched(
        at=now,
        items=tuple(sorted(items, key=lambda item: item.since or _NO_TIME)),
        cut_kinds=tuple(kind for kind, rows in found.items() if len(rows) > PER_KIND),
    )


def every_item(actor: Actor, *, now: datetime) -> Iterator[Item]:
    """Yield every item that does not match at this moment, kind by kind, however many there are."""
    actor.require(Capability.VIEW_BOOKS)
    for check in CHECKS.values():
        yield from check(now, EVERY)


def visible_runs(actor: Actor) -> QuerySet[ReconciliationRun]:
    """Return the runs, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return ReconciliationRun.objects.select_related("asked_by")


def visible_breaks(actor: Actor) -> QuerySet[Break]:
    """Return the breaks, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return Break.objects.select_related("organisation", "owner", "resolved_by", "journal")


def one_break(actor: Actor, break_id: UUID) -> Break:
    """Return one break with its thread and the entry that settles it; raises NoSuchBreak."""
    rows = visible_breaks(actor).select_related("found_in", "seen_in", "journal__proposed_by", "journal__decided_by")
    found = rows.prefetch_related("notes__author", "journal__lines__organisation").filter(id=break_id).first()
    if found is None:
        raise NoSuchBreak
    return found


def reports(actor: Actor, break_id: UUID) -> usage.Reports:
    """Return the usage reports that a break stands for, none where it is about something else; raises NoSuchBreak."""
    row = visible_breaks(actor).filter(id=break_id).first()
    if row is None:
        raise NoSuchBreak
    return usage.reports_of(row)


def clerks() -> QuerySet[User]:
    """Return the people of finance who can own a break."""
    return User.objects.filter(memberships__role__in=_CLERKS, is_active=True).distinct().order_by("display_name", "id")
