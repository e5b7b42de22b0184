"""What a simulated agent does next with a lease: pure, so that a restart changes nothing.

The same lease, the same reports so far and the same instant give the same actions; event ids follow
from what they report, so that a report sent twice counts once.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

SEGMENT_TYPE: Final = "exchange.allocation.segment.v1"
READING_TYPE: Final = "exchange.meter.reading.v1"
HAND_OVER_EARLY: Final = timedelta(minutes=5)
HEARTBEAT_EVERY: Final = timedelta(seconds=60)
# Reports cover whole minutes while the agent keeps up, whole hours when it has fallen behind.
FINE: Final = timedelta(minutes=1)
COARSE: Final = timedelta(hours=1)
# Reports in one round of work; the rest comes with the next.
MAX_INTERVALS: Final = 200

# Made-up consumption of one unit in one hour, from a base that varies by lease and hour between 50 and 150 %.
PER_UNIT_HOUR: Final[Mapping[str, Decimal]] = {
    "egress_gb": Decimal("0.6"),
    "ingress_gb": Decimal("1.2"),
    "energy_kwh": Decimal("0.35"),
    "tokens_in": Decimal(40_000),
    "tokens_out": Decimal(8_000),
    "requests": Decimal(120),
}


@dataclass(frozen=True)
class Shortfall:
    """During `[starts_at, ends_at)` only `quantity` units are there."""

    starts_at: datetime
    ends_at: datetime
    quantity: int


@dataclass(frozen=True)
class Reading:
    """A meter's consumption over an interval."""

    meter: str
    starts_at: datetime
    ends_at: datetime
    quantity: Decimal


@dataclass(frozen=True)
class Behaviour:
    """How an agent deviates from plain delivery: `readings` None makes consumption up, else they are all there is.

    `step` is how much time one report covers while the agent keeps up.
    """

    shortfalls: tuple[Shortfall, ...] = ()
    readings: tuple[Reading, ...] | None = None
    step: timedelta = FINE


@dataclass(frozen=True)
class LeaseFacts:
    """What an agent knows of a lease: `reported_until` is where its reports end, `meters` what the contract prices.

    `runs` are the hours that are owed with their quantities, by time; without them all of the lease is.
    """

    reference: str  # lse_...
    character: str  # what made-up consumption is drawn from: the same for the same delivery in every run
    quantity: int
    starts_at: datetime
    ends_at: datetime
    acknowledged: bool
    running: bool
    last_heartbeat_at: datetime | None
    reported_until: datetime
    meters: tuple[str, ...]
    runs: tuple[Shortfall, ...] = ()

    def quantity_at(self, instant: datetime) -> int:
        """Units owed at an instant of the lease."""
        if not self.runs:
            return self.quantity
        return sum(run.quantity for run in self.runs if run.starts_at <= instant < run.ends_at)


@dataclass(frozen=True)
class Actions:
    """What to do now, in this order."""

    acknowledge: bool
    activate: bool
    heartbeat: bool
    events: tuple[dict[str, Any], ...]
    complete: bool


def next_actions(lease: LeaseFacts, behaviour: Behaviour, *, now: datetime) -> Actions:
    """Return what the agent of a lease does at an instant."""
    activate = not lease.running and lease.starts_at - HAND_OVER_EARLY <= now < lease.ends_at
    running = lease.running or activate
    intervals = tuple(_intervals(lease, behaviour.step, now)) if running else ()
    reported_until = intervals[-1][1] if intervals else lease.reported_until
    beat_due = lease.last_heartbeat_at is None or now - lease.last_heartbeat_at >= HEARTBEAT_EVERY
    return Actions(
        acknowledge=not lease.acknowledged,
        activate=activate,
        heartbeat=lease.running and beat_due and now < lease.ends_at,
        events=tuple(_events(lease, behaviour, intervals)),
        complete=running and now >= lease.ends_at and reported_until >= lease.ends_at,
    )


def access_text(reference: str) -> str:
    """Return made-up access details of a lease."""
    token = hashlib.sha256(f"access {reference}".encode()).hexdigest()[:24]
    return f"ssh lease@{reference.replace('_', '-')}.cluster.example -p 2222\none-time token: {token}"


def _intervals(lease: LeaseFacts, fine: timedelta, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches that are over and not reported, in whole steps or, far behind, to the next whole hour."""
    start = max(lease.reported_until, lease.starts_at)
    until = min(now, lease.ends_at)
    for _ in range(MAX_INTERVALS):
        step = COARSE if until - start > COARSE else fine
        if start >= until:
            return
        end = min([_floor(start, step) + step, lease.ends_at, *(edge for edge in _edges(lease) if edge > start)])
        if end > until:
            return
        if lease.quantity_at(start):  # nothing is reported of what was handed back
            yield start, end
        start = end


def _edges(lease: LeaseFacts) -> Iterator[datetime]:
    for run in lease.runs:
        yield run.starts_at
        yield run.ends_at


def _events(
    lease: LeaseFacts, behaviour: Behaviour, intervals: Sequence[tuple[datetime, datetime]]
) -> Iterator[dict[str, Any]]:
    for start, end in intervals:
        for begin, stop, quantity in _allocated(lease, behaviour.shortfalls, start, end):
            yield _event(lease, SEGMENT_TYPE, "segment", begin, stop, {"quantity": quantity})
        for reading in _readings(lease, behaviour, start, end):
            yield _event(
                lease,
                READING_TYPE,
                reading.meter,
                reading.starts_at,
                reading.ends_at,
                {"meter": reading.meter, "quantity": f"{reading.quantity:f}"},
            )


def _allocated(
    lease: LeaseFacts, shortfalls: Sequence[Shortfall], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, int]]:
    """Cut a stretch where a shortfall begins or ends."""
    edges = {start, end}
    for shortfall in shortfalls:
        edges |= {edge for edge in (shortfall.starts_at, shortfall.ends_at) if start < edge < end}
    ordered = sorted(edges)
    for begin, stop in itertools.pairwise(ordered):
        short = [one.quantity for one in shortfalls if one.starts_at <= begin < one.ends_at]
        yield begin, stop, min([lease.quantity_at(begin), *short])


def _readings(lease: LeaseFacts, behaviour: Behaviour, start: datetime, end: datetime) -> Iterator[Reading]:
    if behaviour.readings is not None:
        # A reading is sent with the report in which its interval ends.
        yield from (reading for reading in behaviour.readings if start < reading.ends_at <= end)
        return
    hours = Decimal((end - start) // timedelta(seconds=1)) / 3600
    for meter in lease.meters:
        if meter in PER_UNIT_HOUR:
            amount = PER_UNIT_HOUR[meter] * lease.quantity_at(start) * hours * _variation(lease.character, meter, start)
            yield Reading(meter, start, end, amount.quantize(Decimal("0.001")))


def _variation(character: str, meter: str, instant: datetime) -> Decimal:
    """Return 0.50 to 1.50, the same for a lease, meter and hour whenever it is asked."""
    seed = f"{character} {meter} {_floor(instant, COARSE).isoformat()}"
    return Decimal(50 + hashlib.sha256(seed.encode()).digest()[0] * 100 // 255) / 100


def _event(
    lease: LeaseFacts, type_: str, what: str, start: datetime, end: datetime, values: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{lease.reference}/{what}/{_spelled(start)}/{_spelled(end)}",
        "source": "/agents/simulated",
        "type": type_,
        "time": _spelled(end),
        "data": {"lease": lease.reference, "start": _spelled(start), "end": _spelled(end), **values},
    }


def _floor(instant: datetime, step: timedelta) -> datetime:
    origin = datetime(2020, 1, 1, tzinfo=UTC)
    return instant - (instant - origin) % step


def _spelled(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
