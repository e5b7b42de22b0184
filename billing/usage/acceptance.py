"""Decides which reports of a batch are accepted: a pure function of what is known when they arrive.

Reports are decided in their order, so that a batch may correct a segment and report it anew.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from accounts.foundation import ids
from accounts.foundation.errors import mismatch
from billing.usage import rules
from billing.usage.cloudevents import EventKey, Refusal, Report
from billing.usage.rules import EventKind
from catalog.measures.interval import Interval


@dataclass(frozen=True, slots=True)
class Point:
    """A metering point as reports are checked against it; `meters` are those its contract has a price for.

    `handed_back` are the times for which the buyer has handed all units back.
    """

    id: UUID
    contract_id: UUID
    project_id: UUID
    interval: Interval
    closed: bool
    meters: frozenset[str]
    handed_back: tuple[Interval, ...] = ()


@dataclass(slots=True)  # as Report: not frozen, for there are thousands
class Known:
    """An event accepted before, in the database or earlier in the batch."""

    id: UUID
    kind: EventKind
    payload_hash: str
    point_id: UUID
    meter: str
    interval: Interval
    reversed: bool


@dataclass(slots=True)
class Accepted:
    """An event to be stored."""

    id: UUID
    report: Report
    point: Point
    meter: str
    interval: Interval
    quantity: Decimal | None
    occurred_at: datetime
    reverses: Known | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same event with the same payload came before; nothing is done."""

    report: Report


@dataclass(frozen=True, slots=True)
class Conflicting:
    """The same event came before with another payload; the first one stands."""

    report: Report


Decision = Accepted | Duplicate | Conflicting | Refusal


@dataclass(slots=True)
class Scene:
    """What is known: points by lease and by id, events by key, and segments in force by point (never overlapping)."""

    points_by_lease: Mapping[UUID, Point]
    known: dict[EventKey, Known]
    segments: dict[UUID, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    moments_in_time: set[datetime] = field(default_factory=set)  # looked at before
    points: dict[UUID, Point] = field(init=False)
    fresh_ids: Iterator[UUID] = field(init=False)

    def __post_init__(self) -> None:
        self.points = {point.id: point for point in self.points_by_lease.values()}


class _Declined(Exception):
    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.pointer = pointer
        self.detail = detail


def decide(reports: Iterable[Report], scene: Scene, *, received_at: datetime) -> list[Decision]:
    """Return one decision per report, in order. The scene takes up what is accepted."""
    reports = list(reports)
    scene.fresh_ids = iter(ids.new_ids(len(reports)))
    return [_decide(report, scene, received_at) for report in reports]


def _decide(report: Report, scene: Scene, received_at: datetime) -> Decision:
    known = scene.known.get(report.key)
    if known is not None:
        return Duplicate(report) if known.payload_hash == report.payload_hash else Conflicting(report)
    try:
        accepted = _accepted(report, scene, received_at)
    except _Declined as declined:
        return refusal(report, declined.code, declined.pointer, declined.detail)
    scene.known[report.key] = Known(
        accepted.id,
        report.kind,
        report.payload_hash,
        accepted.point.id,
        accepted.meter,
        accepted.interval,
        reversed=False,
    )
    return accepted


def refusal(report: Report, code: str, pointer: str, detail: str) -> Refusal:
    """Return the refusal of a well-formed report."""
    return Refusal(
        index=report.index,
        source=report.key.source,
        event_id=report.key.event_id,
        code=code,
        detail=detail,
        pointer=pointer,
        payload=report.payload,
        payload_hash=report.payload_hash,
    )


def _accepted(report: Report, scene: Scene, received_at: datetime) -> Accepted:
    if report.occurred_at is not None:
        _check_time("/time", report.occurred_at, scene, received_at)
    match report.kind:
        case EventKind.SEGMENT | EventKind.READING:
            return _usage(report, scene, received_at)
        case EventKind.REVERSAL:
            return _reversal(report, scene, received_at)
        case _:
            assert_never(report.kind)


def _usage(report: Report, scene: Scene, received_at: datetime) -> Accepted:
    assert report.lease_id is not None
    assert report.interval is not None
    assert report.quantity is not None
    point = scene.points_by_lease.get(report.lease_id)
    if point is None:
        detail = mismatch(ids.spell("lse", report.lease_id), "a lease that you deliver")
        raise _Declined("unknown_lease", "/data/lease", detail)
    _check_open(point)
    _check_time("/data/end", report.interval.end, scene, received_at)
    if not point.interval.covers(report.interval):
        expected = f"a time from {point.interval.start.isoformat()} to {point.interval.end.isoformat()}, as leased"
        pointer = "/data/start" if report.interval.start < point.interval.start else "/data/end"
        seen = report.interval.start if pointer == "/data/start" else report.interval.end
        raise _Declined("outside_lease", pointer, mismatch(seen.isoformat(), expected))
    for gap in point.handed_back:
        if gap.overlaps(report.interval):
            detail = (
                f"The buyer has handed {gap.start.isoformat()} to {gap.end.isoformat()} back or paused it; "
                "nothing is owed then."
            )
            raise _Declined("outside_lease", "/data/start", detail)
    if report.kind is EventKind.READING and report.meter not in point.meters:
        priced = ", ".join(sorted(point.meters)) or "none: the contract's rate card has no meters"
        raise _Declined("meter_not_priced", "/data/meter", mismatch(report.meter, f"one of {priced}"))
    if report.kind is EventKind.SEGMENT:
        _take_time(scene, point, report.interval)
    return Accepted(
        id=next(scene.fresh_ids),
        report=report,
        point=point,
        meter=report.meter,
        interval=report.interval,
        quantity=report.quantity,
        occurred_at=report.occurred_at or report.interval.end,
        reverses=None,
    )


def _reversal(report: Report, scene: Scene, received_at: datetime) -> Accepted:
    assert report.reverses is not None
    target = scene.known.get(report.reverses)
    pointer = "/data/reverses"
    if target is None:
        raise _Declined("unknown_event", pointer, mismatch(report.reverses.event_id, "an event that was accepted"))
    if target.kind is EventKind.REVERSAL:
        raise _Declined("reverses_a_reversal", pointer, "A reversal cannot be reversed; report the usage anew.")
    if target.reversed:
        raise _Declined("reversed_before", pointer, "This event has been reversed before.")
    point = scene.points[target.point_id]
    _check_open(point)
    if target.kind is EventKind.SEGMENT:
        scene.segments[point.id].remove((target.interval.start, target.interval.end))
    scene.known[report.reverses] = Known(
        target.id, target.kind, target.payload_hash, target.point_id, target.meter, target.interval, reversed=True
    )
    return Accepted(
        id=next(scene.fresh_ids),
        report=report,
        point=point,
        meter=target.meter,
        interval=target.interval,
        quantity=None,
        occurred_at=report.occurred_at or received_at,
        reverses=target,
    )


def _check_open(point: Point) -> None:
    if point.closed:
        raise _Declined(
            "metering_closed", "/data", "The lease has been closed; later corrections go through the exchange."
        )


def _check_time(pointer: str, moment: datetime, scene: Scene, received_at: datetime) -> None:
    if moment in scene.moments_in_time:
        return
    if rules.in_time(moment, received_at=received_at):
        scene.moments_in_time.add(moment)
    else:
        expected = f"a time at most 35 days before and 5 minutes after {received_at.isoformat()}"
        raise _Declined("outside_time_bounds", pointer, mismatch(moment.isoformat(), expected))


def _take_time(scene: Scene, point: Point, interval: Interval) -> None:
    """Claim an interval of a point for a segment; refuse when a segment in force has a part of it."""
    taken = scene.segments.setdefault(point.id, [])
    # They never overlap each other, so only the last one that starts before the end can be in the way.
    following = bisect_left(taken, (interval.end,))
    if following and taken[following - 1][1] > interval.start:
        start, end = taken[following - 1]
        detail = (
            f"{interval.start.isoformat()} to {interval.end.isoformat()} overlaps the segment from {start.isoformat()} "
            f"to {end.isoformat()}; reverse that one first."
        )
        raise _Declined("overlaps_segment", "/data", detail)
    insort(taken, (interval.start, interval.end))


def bounds(reports: Sequence[Report]) -> Interval | None:
    """Return the smallest interval around all reported ones, or None when there are none."""
    intervals = [report.interval for report in reports if report.interval is not None]
    if not intervals:
        return None
    return Interval(min(i.start for i in intervals), max(i.end for i in intervals))
