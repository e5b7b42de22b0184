"""What an invariant is, and how all of them are checked on one frozen view of the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from catalog.measures.money import EXPONENTS

# What a coin of each currency is comes from the one table there is; the arithmetic is the audit's own.
_MINOR_UNITS: Final = "(VALUES {}) AS minor_unit (currency, minor_per_major, micros_per_minor)".format(
    ", ".join(f"('{currency}', {10**digits}, {10 ** (6 - digits)})" for currency, digits in EXPONENTS.items())
)

SHOWN: Final = 5  # violations printed for each invariant; all are counted


@dataclass(frozen=True)
class Violation:
    """One thing that should not be: what it is (an id or a name) and what was found."""

    subject: str
    found: str


@dataclass(frozen=True)
class Finding:
    """What the check of one invariant saw: how many things it looked at and those that break it."""

    counted: int
    violations: tuple[Violation, ...]


Check = Callable[[CursorWrapper], Finding]


@dataclass(frozen=True)
class Invariant:
    """A statement that must hold, by its number, and the check that looks for its opposite.

    `noun` says what is counted.
    """

    code: str
    statement: str
    noun: str
    check: Check


def by_query(code: str, statement: str, noun: str, *, counted: LiteralString, violations: LiteralString) -> Invariant:
    """Return an invariant of two queries: a count, and rows (subject, found) of what breaks it.

    `{minor_units}` in the second is a table of `currency`, `minor_per_major` and `micros_per_minor`.
    """
    looked_for = violations.replace("{minor_units}", _MINOR_UNITS)

    def check(cursor: CursorWrapper) -> Finding:
        cursor.execute(counted)
        (number,) = cursor.fetchone()
        cursor.execute(looked_for)
        return Finding(int(number), tuple(Violation(str(subject), str(found)) for subject, found in cursor.fetchall()))

    return Invariant(code, statement, noun, check)


@transaction.atomic
def check_all(invariants: Sequence[Invariant]) -> list[tuple[Invariant, Finding]]:
    """Check every invariant on one snapshot of the database, without writing."""
    with connection.cursor() as cursor:
        # Before the first query: all checks see the same committed state.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        return [(invariant, invariant.check(cursor)) for invariant in invariants]
