"""Rates what came in since the last time: each usage event once, into charges."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final, Self
from uuid import UUID

from django.db import transaction

from billing.contracts import queries as contract_queries
from billing.contracts import resales as resold
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.rules import TerminationReason
from billing.contracts.terms import OfferingTerms, SlotTerms, Terms
from billing.rating import charges, pauses, periods, resales, store
from billing.rating.charges import Reading, Segment, Unpriceable
from billing.rating.models import OF_A_SLOT, Charge
from billing.rating.periods import Span
from billing.rating.store import Pending, Row
from billing.rating.timelines import Timelines
from billing.usage.models import AllocationSegment
from billing.usage.rules import EventKind
from catalog.measures.interval import Interval
from catalog.measures.rounding import PPM

logger = logging.getLogger(__name__)

AHEAD: Final = 20_000  # events of one transaction

Schedule = Timelines[tuple[UUID, SlotTerms]]  # what is owed of a contract's slots, run by run, with the slots' ids


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a contract's usage is priced by."""

    contract: Contract
    offerings: Mapping[UUID, OfferingTerms]
    schedule: Schedule
    cuts: tuple[datetime, ...]
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, contract: Contract) -> Self:
        """Read it from the contract's terms and schedule."""
        agreed = Terms.from_document(contract.terms)
        window = Interval(contract.starts_at, contract.ends_at)
        changes = charges.cuts_of(agreed)
        return cls(
            contract=contract,
            offerings={offering.offering_id: offering for offering in agreed.offerings},
            schedule=_schedule(contract_queries.owed(contract)),
            cuts=tuple(sorted({*changes, *periods.month_cuts(agreed, window)})),
            spans=periods.spans_of(agreed, window, changes),
        )

    def slot_of(self, charge: charges.Charge) -> UUID | None:
        """Return which run of the schedule a charge belongs to; none for what the rate card prices."""
        if charge.kind not in OF_A_SLOT:
            return None
        slots = self.schedule.during(charge.offering_id, charge.interval)
        return next(slot_id for slot_id, slot in slots if slot.interval.covers(charge.interval))


def rate_pending(contract: Contract, *, until: datetime, now: datetime) -> int:
    """Turn the contract's unrated events that end by `until` into charges; return how many charges.

    A report is placed by the end of its interval. The caller holds the contract's lock; those of contracts that took
    hours of it over are taken here. Raises Unpriceable when an event has no price: nothing is rated then, for a bill
    without it would under-report.
    """
    agreed = Agreed.of(contract)
    count = 0
    for portion in store.pending(contract.id, until=until):
        count += _rate_portion(agreed, portion, now=now)
    count += pauses.rate(contract, until=until, cuts=agreed.cuts, now=now)
    takers = list(contract.takers.order_by("id").values_list("id", flat=True))
    for taker_id in takers:
        rate_pending(contracts.locked(taker_id), until=until, now=now)
    if takers:
        count += resales.follow(contract, until=until, now=now)
    return count + _rate_periods(agreed, until=until, now=now)


def rate_all_pending(locked: Sequence[Contract], *, until: datetime, now: datetime) -> None:
    """Do as rate_pending for every contract that has something to rate: few of a run whose usage is rated ahead."""
    waiting = store.waiting([contract.id for contract in locked])
    for contract in locked:
        if contract.id in waiting or periods.are_priced(Terms.from_document(contract.terms)):
            rate_pending(contract, until=until, now=now)


@transaction.atomic
def rate_ahead(contract_id: UUID, *, until: datetime, now: datetime, at_most: int = AHEAD) -> int:
    """Rate some of a contract's events before an invoice asks for them; return how many events.

    Each call is one transaction: whoever stops between two of them has lost nothing and starts again where the last
    one ended. Tariffs that price whole periods are left to the invoice. A contract that somebody else has locked is
    left alone. Raises Unpriceable.
    """
    contract = Contract.objects.select_for_update(no_key=True, skip_locked=True).filter(id=contract_id).first()
    if contract is None:
        return 0
    agreed = Agreed.of(contract)
    events = 0
    for portion in store.pending(contract_id, until=until, at_most=at_most):
        _rate_portion(agreed, portion, now=now)
        events += len(portion)
    return events


def rate_waiting(*, now: datetime, seconds: float) -> int:
    """Rate what has come in, the contract that waits longest first, for about so many seconds; return how many events.

    Each portion is a transaction of its own, whose lock on the contract gives two workers different ones. A contract
    with an event that has no price is passed over, with a line in the log: its invoice will say so as well.
    """
    began, events = time.monotonic(), 0
    for contract_id in store.contracts_waiting():
        try:
            while time.monotonic() - began < seconds and (more := rate_ahead(contract_id, until=now, now=now)):
                events += more
        except Unpriceable as error:
            logger.warning("contract %s is not rated: %s", contract_id, error)
        if time.monotonic() - began >= seconds:
            break
    return events


def rate_gaps(contract: Contract, *, until: datetime, now: datetime) -> int:
    """Count contracted time before `until` that no segment in force reports as undelivered; return how many charges.

    Called when all metering points are closed; the caller holds the contract's lock. Safe to repeat.
    """
    agreed = Agreed.of(contract)
    segments = AllocationSegment.objects.filter(
        metering_point__contract=contract, reversed_at__isnull=True
    ).select_related("metering_point")
    reported = [
        Segment(segment.metering_point.offering_id, Interval(segment.starts_at, segment.ends_at), segment.quantity)
        for segment in segments
    ]
    slots = contract_queries.owed(contract)
    owed = [clipped for _, slot in slots if (clipped := _before(slot, until)) is not None]
    missing = charges.gap_charges(owed, reported, cuts=agreed.cuts)
    rows = [
        store.as_row(contract.id, charge, n, slot_id=agreed.slot_of(charge), now=now)
        for n, charge in enumerate(missing)
    ]
    # Counted before? Then these are the same charges: nothing can be reported any more.
    Charge.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)
    return len(rows)


def as_paid(rows: Iterable[Charge], contract: Contract) -> list[charges.Charge]:
    """Return stored charges as plain values for the provider: hours that were sold back at what they are paid.

    What was not delivered keeps the buyer's price: the provider credits what the buyer is credited.
    """
    paid_micros = {slot.id: resold.paid_micros(contract_queries.terms_of(slot)) for slot in contract.slots.all()}
    rows = list(rows)
    return [
        replace(value, price_micros=paid_micros[row.slot_id])
        if row.slot_id in paid_micros and value.kind is not charges.ChargeKind.UNDELIVERED
        else value
        for row, value in zip(rows, as_values(rows), strict=True)
    ]


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
            due_ppm=PPM if row.due_ppm is None else row.due_ppm,
        )
        for row in rows
    ]


def _rate_portion(agreed: Agreed, portion: Sequence[Pending], *, now: datetime) -> int:
    reversals = [event.id for event in portion if event.kind is EventKind.REVERSAL]
    count = store.keep(agreed.contract.id, _priced(agreed, portion), now=now)
    # What they undo is charged by now: it came before them.
    opposite = list(store.opposites(reversals))
    undone = {row.usage_event_id for row in opposite}
    for event_id in reversals:
        if event_id not in undone:
            raise Unpriceable(f"usage event {event_id} has no charge")
    return count + store.keep(agreed.contract.id, opposite, now=now)


def _priced(agreed: Agreed, portion: Iterable[Pending]) -> Iterator[Row]:
    for event in portion:
        if event.kind is EventKind.REVERSAL:
            continue
        priced = _charges_of(agreed, event)
        if not priced:
            raise Unpriceable(f"usage event {event.id} has no charge")
        for n, charge in enumerate(priced):
            yield Row(charge, event.id, n, agreed.slot_of(charge))


def _charges_of(agreed: Agreed, event: Pending) -> Sequence[charges.Charge]:
    assert event.quantity is not None, "only reversals have no quantity"
    offering = agreed.offerings[event.offering_id]
    if event.kind is EventKind.READING:
        reading = Reading(event.offering_id, event.meter, event.interval, event.quantity)
        return charges.reading_charges(reading, offering, cuts=agreed.cuts)
    slots = [slot for _, slot in agreed.schedule.during(event.offering_id, event.interval)]
    segment = Segment(event.offering_id, event.interval, int(event.quantity))
    capacity = charges.segment_charges(segment, slots, cuts=agreed.cuts)
    return (*capacity, *charges.normalised_charges(capacity, offering))


def _rate_periods(agreed: Agreed, *, until: datetime, now: datetime) -> int:
    """Charge what the tariffs of whole periods cost by `until` beyond what they were charged before."""
    contract = agreed.contract
    fell_away = contract.terminated_reason == TerminationReason.PROVIDER_FAILURE
    count = 0
    for span in agreed.spans:
        if span.interval.start >= until:
            continue
        owed = periods.owed(
            span,
            store.measured(contract.id, span),
            until=until,
            currency=contract.currency,
            minimum_falls_away=fell_away,
        )
        more = periods.difference(owed, store.charged(contract.id, span))
        count += store.keep(contract.id, (Row(charge) for charge in more), now=now)
    return count


def _schedule(owed: Iterable[tuple[UUID, SlotTerms]]) -> Schedule:
    return Timelines((slot.offering_id, slot.interval, (slot_id, slot)) for slot_id, slot in owed)


def _before(slot: SlotTerms, until: datetime) -> SlotTerms | None:
    if until <= slot.starts_at:
        return None
    return replace(slot, ends_at=min(slot.ends_at, until))
