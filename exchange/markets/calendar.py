"""When a market's gates stand: calendars that follow one another, as arithmetic on plain values.

A calendar says at which instants gates stand, how long before them nothing may be lowered any more, when what they
decide is published and by when at the latest, and on which local days there is none. It holds from an instant on,
until the next one does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from accounts.foundation.errors import FieldProblem

PUBLISH_SECONDS: Final = 300  # where no calendar says otherwise
MAX_SECONDS: Final = 7 * 24 * 3600
MAX_CLOSED_DAYS: Final = 400
_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Gates at slot zero + offset + a whole number of intervals, but not on closed days, from an instant on.

    None is from ever: the market's own first calendar. What a gate decides binds and is seen `publish_after_seconds`
    after it, or as soon as it is cleared where that is later; after `publish_seconds` it is late.
    """

    effective_from: datetime | None
    gate_interval_seconds: int
    gate_offset_seconds: int
    no_cancel_seconds: int
    publish_seconds: int = PUBLISH_SECONDS
    closed_days: tuple[date, ...] = ()
    publish_after_seconds: int = 0

    def to_document(self) -> dict[str, Any]:
        """Spell an announced calendar as it is stored."""
        assert self.effective_from is not None, "the first one is the market's own columns"
        return {
            "effective_from": self.effective_from.isoformat(),
            "gate_interval_seconds": self.gate_interval_seconds,
            "gate_offset_seconds": self.gate_offset_seconds,
            "no_cancel_seconds": self.no_cancel_seconds,
            "publish_after_seconds": self.publish_after_seconds,
            "publish_seconds": self.publish_seconds,
            "closed_days": [day.isoformat() for day in self.closed_days],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a stored calendar back."""
        read = {
            "effective_from": datetime.fromisoformat(document["effective_from"]),
            "closed_days": tuple(date.fromisoformat(day) for day in document["closed_days"]),
        }
        return cls(**{**document, **read})


@dataclass(frozen=True, slots=True)
class Schedule:
    """A market's calendars in order, the first from ever, counted from slot zero in a zone."""

    slot_zero: datetime
    zone: ZoneInfo
    calendars: Sequence[Calendar]

    def at(self, instant: datetime) -> Calendar:
        """Return the calendar that is in force at an instant."""
        in_force = [one for one in self.calendars if one.effective_from is None or one.effective_from <= instant]
        return in_force[-1]

    def next_gate(self, after: datetime) -> datetime:
        """Return the first gate strictly after an instant."""
        for place, calendar in enumerate(self.calendars):
            until = self._until(place)
            if until is not None and until <= after:
                continue
            since = after if calendar.effective_from is None else max(after, calendar.effective_from - _TICK)
            gate = self._on_grid(calendar, since) + _interval(calendar)
            while (midnight := self._end_of_closed(calendar, gate)) is not None:
                gate = self._on_grid(calendar, midnight - _TICK) + _interval(calendar)
            if until is None or gate < until:
                return gate
        raise AssertionError("the last calendar has no end")

    def last_gate(self, at: datetime) -> datetime:
        """Return the latest gate that is not after an instant."""
        for place in reversed(range(len(self.calendars))):
            calendar, until = self.calendars[place], self._until(place)
            since = calendar.effective_from
            if since is not None and since > at:
                continue
            gate = self._on_grid(calendar, at if until is None else min(at, until - _TICK))
            while (midnight := self._end_of_closed(calendar, gate)) is not None:
                gate = self._on_grid(calendar, self._midnight(self._day(gate)) - _TICK)
                assert gate < midnight, "a day earlier"
            if since is None or gate >= since:
                return gate
        raise AssertionError("the first calendar has no beginning")

    def _until(self, place: int) -> datetime | None:
        return self.calendars[place + 1].effective_from if place + 1 < len(self.calendars) else None

    def _on_grid(self, calendar: Calendar, at: datetime) -> datetime:
        first = self.slot_zero + timedelta(seconds=calendar.gate_offset_seconds)
        return first + (at - first) // _interval(calendar) * _interval(calendar)

    def _end_of_closed(self, calendar: Calendar, gate: datetime) -> datetime | None:
        """Return the end of the local day of a gate when that day is closed."""
        day = self._day(gate)
        return self._midnight(day + _DAY) if day in calendar.closed_days else None

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def problems(calendar: Calendar, *, earliest: datetime) -> Iterator[FieldProblem]:
    """Check an announced calendar; `earliest` is the first instant from which one may hold."""
    assert calendar.effective_from is not None, calendar
    if calendar.effective_from < earliest:
        yield FieldProblem(
            "/effective_from",
            f"expected {earliest.isoformat()} or later, after the rounds that are open already, "
            f"got {calendar.effective_from.isoformat()}",
        )
    for name, low, high in (
        ("gate_interval_seconds", 1, MAX_SECONDS),
        ("gate_offset_seconds", 0, calendar.gate_interval_seconds - 1),
        ("no_cancel_seconds", 0, calendar.gate_interval_seconds - 1),
        # The next gate waits until this one is published.
        ("publish_after_seconds", 0, calendar.gate_interval_seconds - 1),
        ("publish_seconds", calendar.publish_after_seconds + 1, MAX_SECONDS),
    ):
        value = getattr(calendar, name)
        if not low <= value <= high:
            yield FieldProblem(f"/{name}", f"expected from {low} to {high}, got {value}")
    if len(calendar.closed_days) > MAX_CLOSED_DAYS:
        yield FieldProblem("/closed_days", f"expected at most {MAX_CLOSED_DAYS} days, got {len(calendar.closed_days)}")
    for place, (day, following) in enumerate(zip(calendar.closed_days, calendar.closed_days[1:], strict=False)):
        if following <= day:
            yield FieldProblem(f"/closed_days/{place + 1}", f"expected a day after {day}, got {following}")


def _interval(calendar: Calendar) -> timedelta:
    return timedelta(seconds=calendar.gate_interval_seconds)
