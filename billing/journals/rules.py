"""What a journal entry by hand is and when it is sound: plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts.foundation.errors import FieldProblem, Invalid
from billing.ledger.chart import CHART, Code, Owner
from billing.ledger.rules import MAX_AMOUNT_MINOR, AccountRef, Line

MAX_LINES: Final = 20


class JournalKind(StrEnum):
    """What an entry by hand is for."""

    ADJUSTMENT = "adjustment"
    WRITE_OFF = "write_off"


class JournalStatus(StrEnum):
    """Where it stands."""

    PROPOSED = "proposed"
    POSTED = "posted"
    DECLINED = "declined"


JOURNAL_MOVES: Final[Mapping[JournalStatus, frozenset[JournalStatus]]] = {
    JournalStatus.PROPOSED: frozenset({JournalStatus.POSTED, JournalStatus.DECLINED}),
    JournalStatus.POSTED: frozenset(),
    JournalStatus.DECLINED: frozenset(),
}


@dataclass(frozen=True)
class Subject:
    """What an entry settles, such as a break: it is decided where that is decided."""

    type: str
    id: UUID


@dataclass(frozen=True)
class Entry:
    """One line as a person enters it: minor units, debit positive."""

    code: Code
    amount_minor: int
    organisation_id: UUID | None = None


def ledger_lines(entries: Sequence[Entry]) -> list[Line]:
    """Return the lines for the ledger.

    Raises Invalid naming each line that has no owner, or one too many, moves nothing or stands twice, and when
    debits and credits differ.
    """
    problems = []
    seen = set()
    if not 2 <= len(entries) <= MAX_LINES:
        raise Invalid.field("/lines", len(entries), f"from 2 to {MAX_LINES} lines")
    for place, entry in enumerate(entries):
        owned = CHART[entry.code].owner is Owner.ORGANISATION
        if owned != (entry.organisation_id is not None):
            wanted = (
                "needs the organisation it belongs to" if owned else "is the exchange's own and takes no organisation"
            )
            problems.append(FieldProblem(f"/lines/{place}/organisation", f"Account {entry.code} {wanted}."))
        if not 0 < abs(entry.amount_minor) <= MAX_AMOUNT_MINOR:
            problems.append(FieldProblem(f"/lines/{place}/amount", "An amount other than zero is needed."))
        if (entry.code, entry.organisation_id) in seen:
            problems.append(FieldProblem(f"/lines/{place}/code", f"Account {entry.code} stands in a line above."))
        seen.add((entry.code, entry.organisation_id))
    difference = sum(entry.amount_minor for entry in entries)
    if difference:
        problems.append(FieldProblem("/lines", f"Debits and credits differ by {difference} minor units."))
    if problems:
        raise Invalid("The lines of the entry do not fit together.", problems)
    return [Line(AccountRef(entry.code, entry.organisation_id), entry.amount_minor) for entry in entries]
