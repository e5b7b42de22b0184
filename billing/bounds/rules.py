"""What is too much for a bill: limits and a drawn bill in, breaches out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MONTH_DAYS: Final = 30
SIDES: Final = ("customer", "provider")  # of a document, as the invoices call them


class Bound(StrEnum):
    """What a bound is on."""

    LINE = "line_amount"
    TOTAL = "document_total"
    DAY = "lines_of_a_day"
    USUAL = "multiple_of_usual_month"


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds in force, amounts in minor units without a sign.

    A total up to `usual_from_minor` is never compared with the usual month. Above `two_people_above_minor` two people
    let a parked account go on.
    """

    line_minor: int
    total_minor: int
    lines_per_day: int
    usual_multiple: int
    usual_from_minor: int
    two_people_above_minor: int
    trailing_days: int = 90  # what was billed in so many days before makes the usual month


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bill that is to be issued: its largest line and its total in minor units without a sign, and its lines."""

    largest_line_minor: int
    total_minor: int
    lines: int

    @classmethod
    def of(cls, line_amounts: Sequence[int], total_minor: int) -> "Drawn":
        """Measure a bill; credits count like charges."""
        return cls(max(map(abs, line_amounts), default=0), abs(total_minor), len(line_amounts))


@dataclass(frozen=True, slots=True)
class Breach:
    """A bound, what was seen, and the most that was expected: minor units, or a count of lines."""

    bound: Bound
    seen: int
    limit: int


def breaches(drawn: Drawn, limits: Limits, *, lines_today: int, usual_minor: int) -> tuple[Breach, ...]:
    """Return what a bill breaches.

    `lines_today` were billed to its party before on this day; `usual_minor` is the party's usual month, 0 for one
    that was never billed.
    """
    found = []
    if drawn.largest_line_minor > limits.line_minor:
        found.append(Breach(Bound.LINE, drawn.largest_line_minor, limits.line_minor))
    if drawn.total_minor > limits.total_minor:
        found.append(Breach(Bound.TOTAL, drawn.total_minor, limits.total_minor))
    if lines_today + drawn.lines > limits.lines_per_day:
        found.append(Breach(Bound.DAY, lines_today + drawn.lines, limits.lines_per_day))
    most = max(limits.usual_from_minor, limits.usual_multiple * usual_minor)
    if usual_minor > 0 and drawn.total_minor > most:
        found.append(Breach(Bound.USUAL, drawn.total_minor, most))
    return tuple(found)


def usual_month(billed_minor: int, *, trailing_days: int) -> int:
    """Return the usual month of a party that was billed so much in some days, rounded down."""
    return max(0, billed_minor) * MONTH_DAYS // trailing_days
