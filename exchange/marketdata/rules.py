"""Which stretch of time a table covers, and the daily index: arithmetic on plain values.

The index of a kind of resource in a hub on a delivery day is the volume-weighted average price of all hours of that
day that rounds have traded there, rounded half up to micros. A day is thin when fewer than MIN_TRADES trades, or fewer
than MIN_PARTIES buyers or providers, stand behind it: a single deal is no market, and would show what it cost. A thin
day, and a day without trades, carries the last full value for at most CARRY_DAYS days and says so; after that there is
none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from accounts.foundation.errors import FieldProblem

METHOD: Final = "daily-vwap/1"  # a change of anything below is another version
MIN_TRADES: Final = 3
MIN_PARTIES: Final = 2
CARRY_DAYS: Final = 7

LONGEST: Final = timedelta(days=92)  # of one answer
USUAL: Final = timedelta(days=7)  # before now, where nothing is asked for
AHEAD: Final = timedelta(days=31)  # after now: deliveries lie in the future
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Instants `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime


def window(starts_at: datetime | None, ends_at: datetime | None, *, now: datetime) -> Window:
    """Return the stretch that was asked for, with what was left open filled in; `window_problems` checks it."""
    hour = now.replace(minute=0, second=0, microsecond=0)  # so that equal questions of an hour have equal answers
    if starts_at is None:
        starts_at = hour - USUAL if ends_at is None else ends_at - USUAL
    if ends_at is None:
        ends_at = max(hour + AHEAD, starts_at + _DAY) if starts_at <= hour else starts_at + USUAL
        ends_at = min(ends_at, starts_at + LONGEST)
    return Window(starts_at, ends_at)


def window_problems(asked: Window) -> Iterator[FieldProblem]:
    """Check that a stretch is not empty and not too long."""
    if asked.starts_at >= asked.ends_at:
        yield FieldProblem(
            "before", f"expected a time after {asked.starts_at.isoformat()}, got {asked.ends_at.isoformat()}", "query"
        )
    elif asked.ends_at - asked.starts_at > LONGEST:
        days = (asked.ends_at - asked.starts_at) // _DAY
        yield FieldProblem("from", f"expected at most {LONGEST.days} days up to before, got {days}", "query")


class Basis(StrEnum):
    """What an index value stands on."""

    TRADED = "traded"
    CARRIED = "carried"  # thin or without trades: the last full value


@dataclass(frozen=True)
class DayVolume:
    """What was traded of one kind of resource in one hub for one delivery day."""

    resource_type: str
    hub: str
    day: date
    value_micros: int  # sum of price times unit-hours
    unit_hours: int
    trades: int
    buyers: int
    providers: int

    @property
    def is_thin(self) -> bool:
        """Whether too few stand behind the day."""
        return self.trades < MIN_TRADES or min(self.buyers, self.providers) < MIN_PARTIES


@dataclass(frozen=True)
class IndexDay:
    """The index on one delivery day, in micros per unit-hour."""

    resource_type: str
    hub: str
    day: date
    price_micros: int
    basis: Basis
    value_of: date  # the day whose trades the value is of
    unit_hours: int  # traded for the day itself
    method: str = METHOD


def index(volumes: Iterable[DayVolume], *, first: date, last: date) -> list[IndexDay]:
    """Return the index of every day of `[first, last]` that has one, by kind, hub and day.

    `volumes` must reach back CARRY_DAYS days before `first`.
    """
    by_pair: dict[tuple[str, str], dict[date, DayVolume]] = {}
    for volume in volumes:
        by_pair.setdefault((volume.resource_type, volume.hub), {})[volume.day] = volume
    return [day for (kind, hub), days in sorted(by_pair.items()) for day in _series(kind, hub, days, first, last)]


def _series(kind: str, hub: str, days: dict[date, DayVolume], first: date, last: date) -> Iterator[IndexDay]:
    full: DayVolume | None = None
    for offset in range(-CARRY_DAYS, (last - first).days + 1):
        day = first + offset * _DAY
        volume = days.get(day)
        if volume is not None and not volume.is_thin:
            full = volume
        if full is None or day < first or (day - full.day).days > CARRY_DAYS:
            continue
        yield IndexDay(
            resource_type=kind,
            hub=hub,
            day=day,
            price_micros=average(full.value_micros, full.unit_hours),
            basis=Basis.TRADED if full.day == day else Basis.CARRIED,
            value_of=full.day,
            unit_hours=volume.unit_hours if volume else 0,
        )


def average(value_micros: int, unit_hours: int) -> int:
    """Return the average price in micros, rounded half up once."""
    return int(Fraction(value_micros, unit_hours) + Fraction(1, 2)) if unit_hours else 0
