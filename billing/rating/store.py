"""Reads usage and writes charges in portions, so that a contract of a million reports takes no more memory than one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.foundation import ids
from billing.rating.charges import Charge, ChargeKind
from billing.rating.periods import Measured, Span
from billing.rating.quantities import exact_text
from billing.usage.rules import EventKind
from catalog.measures.interval import Interval
from catalog.measures.tariffs import PriceModel

PORTION: Final = 5_000  # events: some megabytes
BLOCK: Final = 1_000  # rows written at once
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NULL: Final = "\\N"

# Time-ordered ids: an event comes before the one that reverses it. A look for each event, as a value and no join: the
# planner, who last heard of the charges before there were any, would read all of them for each portion.
_PENDING: Final = """
    SELECT event.id, event.kind, point.offering_id, event.meter,
           (extract(epoch FROM event.starts_at) * 1000000)::bigint,
           (extract(epoch FROM event.ends_at) * 1000000)::bigint, event.quantity
    FROM billing_usageevent event JOIN billing_meteringpoint point ON point.id = event.metering_point_id
    WHERE event.contract_id = %s AND event.id > %s AND event.ends_at <= %s
      AND (SELECT true FROM billing_charge charge WHERE charge.usage_event_id = event.id LIMIT 1) IS NULL
    ORDER BY event.id LIMIT %s
"""

_WAITING: Final = """
    SELECT event.contract_id FROM billing_usageevent event
    WHERE event.contract_id = ANY(%s) AND event.ends_at <= %s
      AND NOT EXISTS (SELECT 1 FROM billing_charge charge WHERE charge.usage_event_id = event.id)
    UNION SELECT contract_id FROM billing_contractpause WHERE contract_id = ANY(%s)
"""

_COPY: Final = """
    COPY billing_charge (
        id, contract_id, usage_event_id, n, kind, offering_id, slot_id, unit, price_micros, base_quantity, raw_quantity,
        raw_per_unit, starts_at, ends_at, reverses_id, rated_at
    ) FROM STDIN
"""

_REVERSED: Final = """
    SELECT reversal.event_id, charge.id, charge.kind, charge.offering_id, charge.slot_id, charge.unit,
           charge.price_micros, charge.base_quantity, charge.raw_quantity, charge.raw_per_unit, charge.starts_at,
           charge.ends_at
    FROM billing_usagereversal reversal JOIN billing_charge charge ON charge.usage_event_id = reversal.reversed_id
    WHERE reversal.event_id = ANY(%s) ORDER BY reversal.event_id, charge.n
"""

_MEASURED: Final = """
    SELECT piece.n - 1, sum(charge.raw_quantity)
    FROM unnest(%s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS piece(starts_at, ends_at, n)
    JOIN billing_charge charge ON charge.contract_id = %s AND charge.kind = 'measured' AND charge.offering_id = %s
     AND charge.unit = %s AND charge.starts_at >= piece.starts_at AND charge.starts_at < piece.ends_at
    GROUP BY piece.n
"""

_LEVELS: Final = """
    SELECT abs(raw_quantity), sum(CASE WHEN reverses_id IS NULL THEN 1 ELSE -1 END
        * extract(epoch FROM ends_at - starts_at)::bigint)
    FROM billing_charge
    WHERE contract_id = %s AND kind = 'measured' AND offering_id = %s AND unit = %s
      AND starts_at >= %s AND starts_at < %s
    GROUP BY 1
"""

_CHARGED: Final = """
    SELECT kind, starts_at, max(ends_at), price_micros, base_quantity, raw_per_unit, sum(raw_quantity)
    FROM billing_charge
    WHERE contract_id = %s AND kind IN ('tariff', 'minimum') AND offering_id = %s AND unit = %s
      AND starts_at >= %s AND starts_at < %s
    GROUP BY kind, starts_at, price_micros, base_quantity, raw_per_unit
"""


@dataclass(slots=True)
class Pending:
    """An event that has no charge yet."""

    id: UUID
    kind: EventKind
    offering_id: UUID
    meter: str
    interval: Interval
    quantity: Decimal | None


@dataclass(slots=True)
class Row:
    """A charge with where it comes from: its event and its place among the event's charges, or neither."""

    charge: Charge
    usage_event_id: UUID | None = None
    n: int = 0
    slot_id: UUID | None = None
    reverses_id: UUID | None = None


def pending(contract_id: UUID, *, until: datetime, at_most: int | None = None) -> Iterator[list[Pending]]:
    """Yield a contract's unrated events that end by an instant, by id, in portions; charge one before the next."""
    last, left = UUID(int=0), at_most
    while left is None or left > 0:
        size = PORTION if left is None else min(PORTION, left)
        with connection.cursor() as cursor:
            cursor.execute(_PENDING, [contract_id, last, until, size])
            events = [
                Pending(id_, EventKind(kind), offering_id, meter, _interval(start, end), quantity)
                for id_, kind, offering_id, meter, start, end, quantity in cursor.fetchall()
            ]
        if events:
            yield events
        if len(events) < size:
            return
        last = events[-1].id
        left = None if left is None else left - len(events)


def waiting(contract_ids: Sequence[UUID], *, until: datetime) -> set[UUID]:
    """Return which contracts have unrated events that end by an instant, or pauses, whose charges come with time."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [list(contract_ids), until, list(contract_ids)])
        return {contract_id for (contract_id,) in cursor.fetchall()}


def keep(contract_id: UUID, rows: Iterable[Row], *, now: datetime) -> int:
    """Store charges; return how many."""
    contract, rated_at, spelled, count = str(contract_id), now.isoformat(), _Spelled(), 0
    rest = iter(rows)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        while block := list(islice(rest, BLOCK)):
            fresh = ids.new_ids(len(block))
            lines = [_line(id_, contract, row, rated_at, spelled) for id_, row in zip(fresh, block, strict=True)]
            copy.write("".join(lines))
            count += len(block)
    return count


def opposites(reversals: Sequence[UUID]) -> Iterator[Row]:
    """Return what takes back the charges of the events that these reversals undo."""
    if not reversals:
        return
    places: dict[UUID, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_REVERSED, [list(reversals)])
        for (
            event_id,
            id_,
            kind,
            offering_id,
            slot_id,
            unit,
            price,
            base,
            raw,
            per_unit,
            start,
            end,
        ) in cursor.fetchall():
            n = places.get(event_id, 0)
            places[event_id] = n + 1
            charge = Charge(
                ChargeKind(kind), offering_id, unit, price, base, -Fraction(raw), per_unit, Interval(start, end)
            )
            yield Row(charge, event_id, n, slot_id, id_)


def measured(contract_id: UUID, span: Span) -> list[Measured]:
    """Return what was measured in each piece of a tariff's period; of a percentile all of it with the first."""
    meter: list[Any] = [contract_id, span.offering_id, span.rate.meter]
    with connection.cursor() as cursor:
        if span.rate.model is PriceModel.PERCENTILE:
            cursor.execute(_LEVELS, [*meter, span.interval.start, span.interval.end])
            levels = {Fraction(level): int(seconds) for level, seconds in cursor.fetchall()}
            return [Measured(seconds_by_level=levels), *(Measured() for _ in span.pieces[1:])]
        edges: list[Any] = [[piece.start for piece in span.pieces], [piece.end for piece in span.pieces]]
        cursor.execute(_MEASURED, [*edges, *meter])
        amounts = {place: Fraction(raw) for place, raw in cursor.fetchall()}
    return [Measured(amounts.get(place, Fraction(0))) for place in range(len(span.pieces))]


def charged(contract_id: UUID, span: Span) -> list[Charge]:
    """Return what a tariff's period was charged so far, summed by piece and price."""
    meter = span.rate.meter
    with connection.cursor() as cursor:
        cursor.execute(_CHARGED, [contract_id, span.offering_id, meter, span.interval.start, span.interval.end])
        return [
            Charge(
                ChargeKind(kind), span.offering_id, meter, price, base, Fraction(raw), per_unit, Interval(start, end)
            )
            for kind, start, end, price, base, per_unit, raw in cursor.fetchall()
        ]


def _interval(start_micros: int, end_micros: int) -> Interval:
    # Counted from the epoch in the query: the driver reads a time of day ten times as slowly.
    return Interval(EPOCH + timedelta(microseconds=start_micros), EPOCH + timedelta(microseconds=end_micros))


class _Spelled(dict[int | datetime, str]):
    """The spelling of what rows share, each worked out once; ids by their numbers, which are quicker to look up."""

    def __missing__(self, value: int | datetime) -> str:
        spelled = f"{value:032x}" if isinstance(value, int) else value.isoformat()
        if len(self) < BLOCK:
            self[value] = spelled
        return spelled


def _line(id_: UUID, contract: str, row: Row, rated_at: str, spelled: _Spelled) -> str:
    """Spell a row for COPY; every value is a number, an id, a time or a code, so that nothing needs an escape."""
    charge, event, slot, reverses = row.charge, row.usage_event_id, row.slot_id, row.reverses_id
    return (
        f"{id_.int:032x}\t{contract}\t{f'{event.int:032x}' if event else NULL}\t{row.n}\t{charge.kind}\t"
        f"{spelled[charge.offering_id.int]}\t{spelled[slot.int] if slot else NULL}\t{charge.unit}\t"
        f"{charge.price_micros}\t{charge.base_quantity}\t{exact_text(charge.raw_quantity)}\t{charge.raw_per_unit}\t"
        f"{spelled[charge.interval.start]}\t{spelled[charge.interval.end]}\t"
        f"{f'{reverses.int:032x}' if reverses else NULL}\t{rated_at}\n"
    )
