"""Rates what came in since the last time: each usage event once, into charges."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from django.db.models import Exists, OuterRef

from billing.contracts.models import Contract, ContractSlot
from billing.contracts.terms import SlotTerms, Terms
from billing.rating import charges
from billing.rating.charges import Reading, Segment, Unpriceable
from billing.rating.models import Charge
from billing.rating.quantities import exact_decimal
from billing.rating.timelines import Timelines
from billing.usage.models import AllocationSegment, UsageEvent, UsageReversal
from billing.usage.rules import EventKind
from catalog.measures.interval import Interval

Schedule = Timelines[tuple[UUID, SlotTerms]]  # the runs of a contract's slots, with their ids


def rate_pending(contract: Contract, *, until: datetime, now: datetime) -> int:
    """Turn the contract's unrated events that end by `until` into charges; return how many charges.

    A report is placed by the end of its interval. The caller holds the contract's lock. Raises Unpriceable when an
    event has no price: nothing is rated then, for a bill without it would under-report.
    """
    agreed, schedule = Terms.from_document(contract.terms), _schedule(_slots(contract))
    cuts = charges.tax_cuts(agreed.sales_taxes, agreed.purchase_taxes)
    rated = Charge.objects.filter(usage_event_id=OuterRef("id"))
    pending = list(
        UsageEvent.objects.filter(~Exists(rated), contract=contract, ends_at__lte=until)
        .select_related("metering_point")
        .defer("payload")
        # Time-ordered ids: an event comes before the one that reverses it.
        .order_by("id")
    )
    fresh: dict[UUID, list[Charge]] = {}
    undone = _reversed_by(pending)
    for event in pending:
        if event.kind == EventKind.REVERSAL:
            target = undone[event.id]
            before = fresh.get(target) or list(Charge.objects.filter(usage_event_id=target).order_by("n"))
            fresh[event.id] = [_opposite(charge, event, n, now=now) for n, charge in enumerate(before)]
        else:
            priced = _priced(event, agreed, schedule, cuts)
            fresh[event.id] = [
                _row(contract, charge, schedule, event.id, n, now=now) for n, charge in enumerate(priced)
            ]
        if not fresh[event.id]:
            raise Unpriceable(f"usage event {event.id} has no charge")
    rows = [charge for rows in fresh.values() for charge in rows]
    Charge.objects.bulk_create(rows, batch_size=1_000)
    return len(rows)


def rate_gaps(contract: Contract, *, until: datetime, now: datetime) -> int:
    """Count contracted time before `until` that no segment in force reports as undelivered; return how many charges.

    Called when all metering points are closed; the caller holds the contract's lock. Safe to repeat.
    """
    agreed, slots = Terms.from_document(contract.terms), _slots(contract)
    segments = AllocationSegment.objects.filter(
        metering_point__contract=contract, reversed_at__isnull=True
    ).select_related("metering_point")
    reported = [
        Segment(segment.metering_point.offering_id, Interval(segment.starts_at, segment.ends_at), segment.quantity)
        for segment in segments
    ]
    owed = [clipped for slot in slots.values() if (clipped := _before(slot, until)) is not None]
    cuts = charges.tax_cuts(agreed.sales_taxes, agreed.purchase_taxes)
    missing = charges.gap_charges(owed, reported, cuts=cuts)
    schedule = _schedule(slots)
    rows = [_row(contract, charge, schedule, None, n, now=now) for n, charge in enumerate(missing)]
    # Counted before? Then these are the same charges: nothing can be reported any more.
    Charge.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)
    return len(rows)


def as_values(rows: Iterable[Charge]) -> list[charges.Charge]:
    """Return stored charges as plain values, in the same order."""
    return [
        charges.Charge(
            kind=charges.ChargeKind(row.kind),
            offering_id=row.offering_id,
            unit=row.unit,
            price_micros=row.price_micros,
            base_quantity=row.base_quantity,
            raw_quantity=Fraction(row.raw_quantity),
            raw_per_unit=row.raw_per_unit,
            interval=Interval(row.starts_at, row.ends_at),
        )
        for row in rows
    ]


def _priced(event: UsageEvent, agreed: Terms, schedule: Schedule, cuts: Sequence[datetime]) -> Sequence[charges.Charge]:
    offering_id = event.metering_point.offering_id
    interval = Interval(event.starts_at, event.ends_at)
    assert event.quantity is not None, "only reversals have no quantity"
    if event.kind == EventKind.SEGMENT:
        slots = [slot for _, slot in schedule.during(offering_id, interval)]
        return charges.segment_charges(Segment(offering_id, interval, int(event.quantity)), slots, cuts=cuts)
    rate = agreed.offering(offering_id).rate(event.meter)
    if rate is None:
        raise Unpriceable(f"no price was agreed for {event.meter}")
    return (charges.reading_charge(Reading(offering_id, event.meter, interval, event.quantity), rate),)


def _reversed_by(events: Iterable[UsageEvent]) -> dict[UUID, UUID]:
    """Return which event each of these reversals undoes."""
    reversals = [event.id for event in events if event.kind == EventKind.REVERSAL]
    return dict(UsageReversal.objects.filter(event_id__in=reversals).values_list("event_id", "reversed_id"))


def _slots(contract: Contract) -> dict[UUID, SlotTerms]:
    return {
        slot.id: SlotTerms(slot.offering_id, slot.starts_at, slot.ends_at, slot.quantity, slot.unit, slot.price_micros)
        for slot in ContractSlot.objects.filter(contract=contract).order_by("offering_id", "starts_at")
    }


def _schedule(slots: Mapping[UUID, SlotTerms]) -> Schedule:
    return Timelines((slot.offering_id, slot.interval, (slot_id, slot)) for slot_id, slot in slots.items())


def _before(slot: SlotTerms, until: datetime) -> SlotTerms | None:
    if until <= slot.starts_at:
        return None
    end = min(slot.ends_at, until)
    return SlotTerms(slot.offering_id, slot.starts_at, end, slot.quantity, slot.unit, slot.price_micros)


def _row(
    contract: Contract,
    charge: charges.Charge,
    schedule: Schedule,
    usage_event_id: UUID | None,
    n: int,
    *,
    now: datetime,
) -> Charge:
    slot_id = None
    if charge.kind is not charges.ChargeKind.METERED:
        slot_id = next(
            slot_id
            for slot_id, slot in schedule.during(charge.offering_id, charge.interval)
            if slot.interval.covers(charge.interval)
        )
    return Charge(
        contract=contract,
        usage_event_id=usage_event_id,
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
    )


def _opposite(charge: Charge, event: UsageEvent, n: int, *, now: datetime) -> Charge:
    return Charge(
        contract_id=charge.contract_id,
        usage_event_id=event.id,
        n=n,
        kind=charge.kind,
        offering_id=charge.offering_id,
        slot_id=charge.slot_id,
        unit=charge.unit,
        price_micros=charge.price_micros,
        base_quantity=charge.base_quantity,
        raw_quantity=charge.raw_quantity.copy_negate(),  # unary minus would round to the context
        raw_per_unit=charge.raw_per_unit,
        starts_at=charge.starts_at,
        ends_at=charge.ends_at,
        reverses=charge,
        rated_at=now,
    )
