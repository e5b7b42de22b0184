"""Half-open intervals of UTC instants, [start, end)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from catalog.measures.errors import MeasureError

HOUR = timedelta(hours=1)


@dataclass(frozen=True, order=True, slots=True)
class Interval:
    """The instants from `start` up to, and without, `end`; both aware, start before end.

    Both ends are turned to UTC, so that equal intervals compare equal whatever zone they were written in.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name, instant in (("start", self.start), ("end", self.end)):
            if instant.tzinfo is UTC:
                continue
            if instant.tzinfo is None:
                raise MeasureError(f"expected an {name} with a time zone, got {instant.isoformat()}")
            object.__setattr__(self, name, instant.astimezone(UTC))
        if self.start >= self.end:
            raise MeasureError(f"expected a start before the end, got {self.start.isoformat()}/{self.end.isoformat()}")

    @property
    def duration(self) -> timedelta:
        """The time between the ends."""
        return self.end - self.start

    @property
    def hours(self) -> Fraction:
        """The length in hours, exactly (to the microsecond)."""
        return hours_of(self.duration)

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies in the interval; the end does not."""
        return self.start <= instant < self.end

    def covers(self, other: "Interval") -> bool:
        """Whether every instant of the other interval lies in this one."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two share an instant; meeting at an end is not sharing."""
        return self.start < other.end and other.start < self.end

    def intersect(self, other: "Interval") -> "Interval | None":
        """The instants in both, or None when there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None

    def split(self, instants: Iterable[datetime]) -> tuple["Interval", ...]:
        """Cut at the instants that lie strictly inside; the pieces are in order and make up the whole."""
        cuts = sorted({instant.astimezone(UTC) for instant in instants if self.start < instant < self.end})
        edges = [self.start, *cuts, self.end]
        return tuple(Interval(start, end) for start, end in pairwise(edges))

    def subtract(self, others: Iterable["Interval"]) -> tuple["Interval", ...]:
        """The parts of this interval that none of the others touches, in order."""
        rest: list[Interval] = []
        start = self.start
        for other in sorted(others):
            if other.start >= self.end:
                break
            if other.start > start:
                rest.append(Interval(start, other.start))
            start = max(start, other.end)
        if start < self.end:
            rest.append(Interval(start, self.end))
        return tuple(rest)

    def slots(self, step: timedelta = HOUR) -> Iterator["Interval"]:
        """The interval in steps from its start; MeasureError when it is no whole number of them."""
        if step <= timedelta(0) or self.duration % step:
            raise MeasureError(f"expected a whole number of {step} slots, got {self.duration}")
        start = self.start
        while start < self.end:
            yield Interval(start, start + step)
            start += step


def hours_of(duration: timedelta) -> Fraction:
    """Return a duration in hours as an exact fraction; datetime arithmetic is exact to the microsecond."""
    return Fraction(duration // timedelta(microseconds=1), 3_600_000_000)
