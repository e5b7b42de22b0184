"""Reads and writes usage in few statements, whatever the size of a batch."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q
from psycopg import errors as postgres

from billing.contracts import queries as contracts
from billing.contracts.terms import SlotTerms, Terms
from billing.usage import acceptance
from billing.usage.acceptance import Accepted, Known, Point, Scene
from billing.usage.cloudevents import EventKey, Refusal, Report
from billing.usage.models import AllocationSegment, MeteringPoint, UsageConflict, UsageRejection, UsageReversal
from billing.usage.rules import EventKind
from catalog.measures.interval import Interval

# Each looked up by its key: OFFSET keeps the planner from reading the whole table into a hash instead. No source and no
# id has a line break in it.
_KNOWN = """
    SELECT event.source, event.event_id, event.id, event.kind, event.payload_hash, event.metering_point_id, event.meter,
           event.starts_at, event.ends_at,
           EXISTS (SELECT FROM billing_usagereversal reversal WHERE reversal.reversed_id = event.id)
    FROM ROWS FROM (string_to_table(%s, E'\\n'), string_to_table(%s, E'\\n')) AS wanted (source, event_id),
    LATERAL (
        SELECT * FROM billing_usageevent known
        WHERE known.organisation_id = %s AND known.source = wanted.source AND known.event_id = wanted.event_id
        OFFSET 0
    ) AS event
"""

_COPY_EVENTS = """
    COPY billing_usageevent (
        organisation_id, source, event_id, id, kind, metering_point_id, contract_id, project_id, meter, starts_at,
        ends_at, quantity, reverses_source, reverses_event_id, occurred_at, received_at, payload, payload_hash
    ) FROM STDIN
"""
_COPY_SEGMENTS = """
    COPY billing_allocationsegment (id, metering_point_id, starts_at, ends_at, quantity, reversed_at) FROM STDIN
"""
_NULL = "\\N"


def locked_scene(organisation_id: UUID, reports: Sequence[Report]) -> Scene:
    """Return what is known for these reports, with their metering points locked in the order of their ids."""
    targets = _known(organisation_id, {report.reverses for report in reports if report.reverses is not None})
    leases = {report.lease_id for report in reports if report.lease_id is not None}
    # Points before events: two batches for one lease wait for each other here, and the second sees the first's.
    points = (
        MeteringPoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("contract")
        .filter(provider_id=organisation_id)
        .filter(Q(reference_id__in=leases) | Q(id__in={known.point_id for known in targets.values()}))
        .order_by("id")
    )
    points_by_lease = _points(points)
    keys = [report.key for report in reports]
    known = _known(organisation_id, [*keys, *(report.reverses for report in reports if report.reverses is not None)])
    return Scene(points_by_lease, known, _segments(points_by_lease.values(), reports, known.values()))


def keep_accepted(organisation_id: UUID, accepted: Sequence[Accepted], *, received_at: datetime) -> bool:
    """Store the accepted events; False, and nothing to be kept, when one of them exists by now."""
    if not accepted:
        return True
    # In the order of their keys, so that two batches with the same events wait for each other, not in a circle.
    in_order = sorted(accepted, key=lambda item: item.report.key)
    try:
        with connection.cursor() as cursor, cursor.copy(_COPY_EVENTS) as copy:
            copy.write("".join(_event_lines(organisation_id, in_order, received_at)))
    except postgres.UniqueViolation:
        # The primary key decides: the same event is in a batch that was committed meanwhile.
        return False
    _keep_reversals(accepted, at=received_at)
    segments = [item for item in accepted if item.report.kind is EventKind.SEGMENT]
    if segments:
        with connection.cursor() as cursor, cursor.copy(_COPY_SEGMENTS) as copy:
            copy.write("".join(_segment_lines(segments, _reversed_ids(accepted), received_at)))
    return True


def _event_lines(organisation_id: UUID, accepted: Iterable[Accepted], received_at: datetime) -> Iterator[str]:
    """Spell events for COPY. Only what a provider wrote freely needs its backslashes escaped; it has no controls."""
    organisation, received, moments = str(organisation_id), received_at.isoformat(), _Moments()
    places: dict[int, str] = {}
    for item in accepted:
        report, point, interval = item.report, item.point, item.interval
        place = places.get(point.id.int)
        if place is None:
            place = places[point.id.int] = f"{point.id}\t{point.contract_id}\t{point.project_id}"
        reverses = report.reverses
        reversed_key = f"{_escaped(reverses.source)}\t{_escaped(reverses.event_id)}" if reverses else "\t"
        yield (
            f"{organisation}\t{_escaped(report.key.source)}\t{_escaped(report.key.event_id)}\t{item.id.int:032x}\t"
            f"{report.kind}\t{place}\t{item.meter}\t"
            f"{moments[interval.start]}\t{moments[interval.end]}\t"
            f"{_NULL if item.quantity is None else item.quantity}\t{reversed_key}\t"
            f"{moments[item.occurred_at]}\t{received}\t{_escaped(report.payload)}\t{report.payload_hash}\n"
        )


def _segment_lines(segments: Iterable[Accepted], undone: set[UUID], received_at: datetime) -> Iterator[str]:
    received, moments = received_at.isoformat(), _Moments()
    for item in segments:
        assert item.quantity is not None
        # One that the same batch reverses is never in force.
        reversed_at = received if item.id in undone else _NULL
        yield (
            f"{item.id}\t{item.point.id}\t{moments[item.interval.start]}\t{moments[item.interval.end]}\t"
            f"{int(item.quantity)}\t{reversed_at}\n"
        )


class _Moments(dict[datetime, str]):
    """The spelling of instants, each worked out once: a batch has few of them."""

    def __missing__(self, moment: datetime) -> str:
        spelled = self[moment] = moment.isoformat()
        return spelled


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\") if "\\" in text else text


def keep_rejections(organisation_id: UUID, refusals: Sequence[Refusal], *, received_at: datetime) -> None:
    """Keep what was declined, each payload once per reason."""
    UsageRejection.objects.bulk_create(
        (
            UsageRejection(
                organisation_id=organisation_id,
                code=refusal.code,
                detail=refusal.detail[:500],
                pointer=refusal.pointer,
                payload=refusal.payload,
                payload_hash=refusal.payload_hash,
                received_at=received_at,
            )
            for refusal in refusals
        ),
        ignore_conflicts=True,
    )


def keep_conflicts(organisation_id: UUID, reports: Sequence[Report], *, received_at: datetime) -> None:
    """Keep payloads that came under an id which stands for another, each once."""
    UsageConflict.objects.bulk_create(
        (
            UsageConflict(
                organisation_id=organisation_id,
                source=report.key.source,
                event_id=report.key.event_id,
                payload=report.payload,
                payload_hash=report.payload_hash,
                received_at=received_at,
            )
            for report in reports
        ),
        ignore_conflicts=True,
    )


def _keep_reversals(accepted: Sequence[Accepted], *, at: datetime) -> None:
    undone = _reversed_ids(accepted)
    if not undone:
        return
    UsageReversal.objects.bulk_create(
        UsageReversal(reversed_id=item.reverses.id, event_id=item.id) for item in accepted if item.reverses
    )
    AllocationSegment.objects.filter(id__in=undone).update(reversed_at=at)


def _reversed_ids(accepted: Iterable[Accepted]) -> set[UUID]:
    return {item.reverses.id for item in accepted if item.reverses is not None}


def _known(organisation_id: UUID, keys: Iterable[EventKey]) -> dict[EventKey, Known]:
    wanted = sorted(set(keys))  # neighbours lie on the same pages of the index
    if not wanted:
        return {}
    sources, event_ids = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, ["\n".join(sources), "\n".join(event_ids), organisation_id])
        return {
            EventKey(source, event_id): Known(
                id_, EventKind(kind), payload_hash, point_id, meter, Interval(starts_at, ends_at), was_reversed
            )
            for source, event_id, id_, kind, payload_hash, point_id, meter, starts_at, ends_at, was_reversed in cursor
        }


def _points(rows: Iterable[MeteringPoint]) -> dict[UUID, Point]:
    """Return metering points as reports are checked against them, by lease."""
    rows = list(rows)
    owed = contracts.owed_of(contracts.with_less_owed({row.contract_id for row in rows}))
    return {row.reference_id: _point(row, owed.get(row.contract_id)) for row in rows}


def _point(point: MeteringPoint, owed: Sequence[tuple[UUID, SlotTerms]] | None) -> Point:
    """Return one point; `owed` is what is left of its contract when something was handed back of it or paused."""
    agreed = Terms.from_document(point.contract.terms)
    interval = Interval(point.starts_at, point.ends_at)
    own = [slot.interval for _, slot in owed or () if slot.offering_id == point.offering_id]
    return Point(
        id=point.id,
        contract_id=point.contract_id,
        project_id=point.contract.project_id,
        interval=interval,
        closed=point.closed_at is not None,
        meters=agreed.offering(point.offering_id).meters,
        handed_back=() if owed is None else interval.subtract(own),
    )


def _segments(
    points: Iterable[Point], reports: Sequence[Report], known: Iterable[Known]
) -> dict[UUID, list[tuple[datetime, datetime]]]:
    """Return the segments in force that these reports may overlap or reverse, by point, in order."""
    segments: dict[UUID, list[tuple[datetime, datetime]]] = {point.id: [] for point in points}
    near = Q(id__in=[event.id for event in known])
    around = acceptance.bounds(reports)
    if around is not None:
        near |= Q(starts_at__lt=around.end, ends_at__gt=around.start)
    rows = AllocationSegment.objects.filter(near, metering_point__in=list(segments), reversed_at__isnull=True)
    for point_id, starts_at, ends_at in rows.order_by("starts_at").values_list(
        "metering_point_id", "starts_at", "ends_at"
    ):
        segments[point_id].append((starts_at, ends_at))
    return segments
