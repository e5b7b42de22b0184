"""Hours of capacity as plain values."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from accounts.foundation.errors import FieldProblem
from catalog.measures.interval import HOUR
from exchange.markets.rules import MAX_QUANTITY

# One call lists at most a leap year; a longer window is listed in parts.
MAX_HOURS: Final = 366 * 24


def hours(starts_at: datetime, ends_at: datetime) -> list[datetime]:
    """Return the instants at which the hours of `[starts_at, ends_at)` start."""
    return [starts_at + n * HOUR for n in range((ends_at - starts_at) // HOUR)]


def is_whole_hour(instant: datetime) -> bool:
    """Whether an hour of UTC starts at the instant."""
    return not timedelta(minutes=instant.minute, seconds=instant.second, microseconds=instant.microsecond)


def listing_problems(*, starts_at: datetime, ends_at: datetime, quantity: int) -> Iterator[FieldProblem]:
    """Check what a provider wants listed: whole hours in order, not too many, and a quantity in range."""
    for pointer, instant in (("/starts_at", starts_at), ("/ends_at", ends_at)):
        if not is_whole_hour(instant):
            yield FieldProblem(pointer, f"expected a whole hour, got {instant.isoformat()}")
    if ends_at <= starts_at:
        yield FieldProblem(
            "/ends_at",
            f"expected a time after {starts_at.isoformat()}, got {ends_at.isoformat()}",
        )
    elif ends_at - starts_at > MAX_HOURS * HOUR:
        yield FieldProblem(
            "/ends_at",
            f"expected at most {MAX_HOURS} hours, got {(ends_at - starts_at) // HOUR}",
        )
    if not 0 <= quantity <= MAX_QUANTITY:
        yield FieldProblem("/quantity", f"expected from 0 to {MAX_QUANTITY} units, got {quantity}")
