"""Reads usage and writes charges in portions, so that a contract of a million reports takes no more memory than one."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Min

from accounts.foundation import ids
from billing.contracts.models import ContractPause, ContractResale
from billing.rating.charges import Charge, ChargeKind
from billing.rating.models import Charge as ChargeRow
from billing.rating.periods import Measured, Span
from billing.rating.quantities import exact_decimal, exact_text
from billing.usage.models import UnratedUsage
from billing.usage.rules import EventKind
from catalog.measures.interval import Interval
from catalog.measures.tariffs import PriceModel

PORTION: Final = 5_000  # events: some megabytes
BATCHES: Final = 1_000  # of the list, looked at together
TOGETHER: Final = 4 * PORTION  # events of such batches, but for a batch that has more
BLOCK: Final = 1_000  # rows written at once
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NULL: Final = "\\N"

# A look for each event, as a value and no join: the planner, who last heard of the charges before there were any, would
# read all of them for each portion. Ids are in the order of time: an event comes before the one that reverses it.
_PENDING: Final = """
    SELECT event.id, event.kind, point.offering_id, event.meter,
           (extract(epoch FROM event.starts_at) * 1000000)::bigint,
           (extract(epoch FROM event.ends_at) * 1000000)::bigint, event.quantity, event.ends_at <= %(until)s
    FROM unnest(%(firsts)s::uuid[], %(lasts)s::uuid[]) AS run (first_id, last_id),
    LATERAL (
        SELECT * FROM billing_usageevent one
        WHERE contract_id = %(contract)s AND id BETWEEN run.first_id AND run.last_id AND id > %(after)s
          AND (SELECT true FROM billing_charge charge WHERE charge.usage_event_id = one.id LIMIT 1) IS NULL
        ORDER BY id LIMIT %(size)s
    ) AS event JOIN billing_meteringpoint point ON point.id = event.metering_point_id
    ORDER BY event.id LIMIT %(size)s
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
    """Yield a contract's unrated events that end by an instant, by id, in portions; charge one before the next.

    Which batches have been charged wholly is taken off the list when the next portion is asked for, in the caller's
    transaction.
    """
    left = at_most
    last_batch = 0
    while batches := _next_batches(contract_id, last_batch):
        last_batch = batches[-1].id
        seen = _Seen(batches)
        while not seen.all:
            size = PORTION if left is None else min(PORTION, left)
            events = seen.next_portion(contract_id, until=until, size=size)
            if events:
                yield events
            left = None if left is None else left - len(events)
            if left == 0:
                break
        seen.take_off()
        if left == 0:
            return


def _next_batches(contract_id: UUID, after: int) -> list[UnratedUsage]:
    """Return the next batches on a contract's list, of a few portions together."""
    batches: list[UnratedUsage] = []
    events = 0
    for batch in UnratedUsage.objects.filter(contract_id=contract_id, id__gt=after).order_by("id")[:BATCHES]:
        batches.append(batch)
        events += batch.events
        if events >= TOGETHER:
            break
    return batches


class _Seen:
    """How far the events of some batches have been looked at, and which of them have to wait."""

    def __init__(self, batches: Sequence[UnratedUsage]) -> None:
        self.batches = batches
        self.runs = _merged([(batch.first_id, batch.last_id) for batch in batches])
        self.last = UUID(int=0)
        self.waiting: list[UUID] = []  # in order
        self.all = False

    def next_portion(self, contract_id: UUID, *, until: datetime, size: int) -> list[Pending]:
        """Look at so many more events; return those that end by an instant."""
        runs = [run for run in self.runs if run[1] > self.last]
        with connection.cursor() as cursor:
            cursor.execute(
                _PENDING,
                {
                    "contract": contract_id,
                    "firsts": [first for first, _ in runs],
                    "lasts": [last for _, last in runs],
                    "after": self.last,
                    "until": until,
                    "size": size,
                },
            )
            rows = cursor.fetchall()
        self.all = len(rows) < size
        if rows:
            self.last = rows[-1][0]
        self.waiting += [row[0] for row in rows if not row[-1]]
        return [
            Pending(id_, EventKind(kind), offering_id, meter, _interval(start, end), quantity)
            for id_, kind, offering_id, meter, start, end, quantity, is_over in rows
            if is_over
        ]

    def take_off(self) -> None:
        """Take the batches off the list that have nothing left to be charged, and let the others begin there."""
        done: list[int] = []
        for batch in self.batches:
            place = bisect_left(self.waiting, batch.first_id)
            waits_from = self.waiting[place] if place < len(self.waiting) else None
            if waits_from is not None and waits_from <= batch.last_id:
                first_id = waits_from
            elif self.all or batch.last_id <= self.last:
                done.append(batch.id)
                continue
            else:
                first_id = max(batch.first_id, self.last)
            if first_id != batch.first_id:
                UnratedUsage.objects.filter(id=batch.id).update(first_id=first_id)
        if done:
            UnratedUsage.objects.filter(id__in=done).delete()


def _merged(runs: Iterable[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    """Return the same ids in runs that do not overlap, in order: batches come in at the same time, too."""
    merged: list[tuple[UUID, UUID]] = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def waiting(contract_ids: Sequence[UUID]) -> set[UUID]:
    """Return which contracts may have unrated events, or have pauses or resales, whose charges come with time."""
    return {
        contract_id
        for model in (UnratedUsage, ContractPause, ContractResale)
        for contract_id in model.objects.filter(contract_id__in=contract_ids).values_list("contract_id", flat=True)
    }


def contracts_waiting() -> list[UUID]:
    """Return the contracts that may have unrated events, the one that waits longest first."""
    waiting = UnratedUsage.objects.values("contract_id").annotate(since=Min("id")).order_by("since")
    return [row["contract_id"] for row in waiting]


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


def due_rows(contract_id: UUID, slot_id: UUID, due: Iterable[Charge], *, now: datetime, **why: Any) -> list[ChargeRow]:
    """Return rows, not stored, of what stays due of a release or pause, which `why` names; numbered from 0."""
    return [
        as_row(contract_id, charge, n, slot_id=slot_id, now=now, due_ppm=charge.due_ppm, **why)
        for n, charge in enumerate(due)
    ]


def as_row(contract_id: UUID, charge: Charge, n: int, *, slot_id: UUID | None, now: datetime, **why: Any) -> ChargeRow:
    """Return the row, not stored, of a charge that no event is behind; `why` are the fields that say what is."""
    return ChargeRow(
        contract_id=contract_id,
        n=n,
        kind=charge.kind,
        offering_id=charge.offering_id,
        slot_id=slot_id,
        unit=charge.unit,
        price_micros=charge.price_micros,
        base_quantity=charge.base_quantity,
        raw_quantity=exact_decimal(charge.raw_quantity),
        raw_per_unit=charge.raw_per_unit,
        starts_at=charge.interval.start,
        ends_at=charge.interval.end,
        rated_at=now,
        **why,
    )


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
