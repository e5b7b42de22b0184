"""From what was delivered and metered to charges: exact quantities at the price then agreed.

A charge stands for one usage event at one price (or for contracted time that nobody reported). What a tariff prices
by the whole of a period is only measured here; see `billing.rating.periods`. Quantities stay exact: `raw_quantity`
counts the smallest thing counted (card-seconds, GB-seconds, tokens) and `raw_per_unit` says how many of them make a
unit (3,600 card-seconds a card-hour; a GB-month is 730 h, that is 2,628,000 GB-seconds). No rounding happens here.

Because each event is rated by itself, invoices drawn at any moment add up: every charge is on exactly one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Final
from uuid import UUID

from billing.contracts.rates import AdjustmentTerms, CoefficientTerms
from billing.contracts.terms import OfferingTerms, RateTerms, SlotTerms, TaxTerms, Terms
from billing.rating.timelines import Timelines
from catalog.measures.interval import Interval
from catalog.measures.rounding import PPM, spread
from catalog.measures.tariffs import NORMALISED, PriceModel
from catalog.measures.units import Aggregation, unit

HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
MONTH_SECONDS: Final = 730 * HOUR_SECONDS  # a billing month; the calendar's differ, a price cannot

# How many raw quantities (unit x seconds) make one unit of a meter that weighs a level by time.
_LEVEL_SECONDS: Final = {
    "memory_gib_hours": HOUR_SECONDS,
    "memory_gb_hours": HOUR_SECONDS,
    "storage_gb_months": MONTH_SECONDS,
    "storage_tb_months": MONTH_SECONDS,
}

# The same for performance: TFLOPS x seconds.
_NORMALISED_SECONDS: Final = {"tflops_hours": HOUR_SECONDS, "pflops_hours": 1_000 * HOUR_SECONDS}


class ChargeKind(StrEnum):
    """What a charge stands for."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    METERED = "metered"  # a reading at its price
    MEASURED = "measured"  # a reading whose price follows from the whole of its period; it costs nothing by itself
    TARIFF = "tariff"  # a quantity of a period at one price of its tariff, less what was charged before
    MINIMUM = "minimum"  # what is missing to the least amount of a period
    RETURNED = "returned"  # units that the buyer handed back before their time
    PAUSED = "paused"  # units that the buyer did without for a time
    RESOLD = "resold"  # units that the buyer sold back, at the price of their own contract
    RESALE = "resale"  # the same units, at the price at which they were sold back


@dataclass(frozen=True, slots=True)
class Segment:
    """An allocation segment: so many units of an offering, from then to then."""

    offering_id: UUID
    interval: Interval
    quantity: int


@dataclass(slots=True)  # not frozen, as everything that there is a million of: freezing doubles the time
class Reading:
    """A meter reading: an amount used in the interval, or the level held through it (storage, memory)."""

    offering_id: UUID
    meter: str
    interval: Interval
    quantity: Decimal


@dataclass(slots=True)  # as Reading
class Charge:
    """An exact quantity at one price. UNDELIVERED charges price what is missing; only the SLA credit uses them.

    Of the value of a RETURNED, PAUSED or RESOLD charge `due_ppm` stays due; the rest was credited. Of the value of a
    RESALE charge it is what is credited.
    """

    kind: ChargeKind
    offering_id: UUID
    unit: str
    price_micros: int
    base_quantity: int
    raw_quantity: Fraction
    raw_per_unit: int
    interval: Interval
    due_ppm: int = PPM

    @property
    def quantity(self) -> Fraction:
        """The exact quantity in units."""
        return self.raw_quantity / self.raw_per_unit

    @property
    def placed_at(self) -> datetime:
        """The instant whose tax rate and adjustment hold: every charge is cut where they change."""
        return self.interval.start


class Unpriceable(ValueError):
    """Usage that its contract has no price for; a bill that left it out would under-report."""


def segment_charges(
    segment: Segment, slots: Iterable[SlotTerms], *, cuts: Iterable[datetime] = ()
) -> tuple[Charge, ...]:
    """Price a segment by the schedule: what was delivered up to the contracted quantity, and what was missing.

    Units beyond the contracted quantity are not charged. `cuts` are instants at which a tax rate changes.
    Raises Unpriceable when a part of the segment lies outside the schedule.
    """
    charges: list[Charge] = []
    covered: list[Interval] = []
    cuts = tuple(cuts)
    own = (slot for slot in slots if slot.offering_id == segment.offering_id)
    for slot in sorted(own, key=lambda slot: slot.starts_at):
        shared = slot.interval.intersect(segment.interval)
        if shared is None:
            continue
        covered.append(shared)
        delivered = min(segment.quantity, slot.quantity)
        for piece in shared.split(cuts):
            charges += _capacity(slot, piece, delivered=delivered)
    missing = segment.interval.subtract(covered)
    if missing:
        raise Unpriceable(f"no price was agreed from {missing[0].start.isoformat()} to {missing[0].end.isoformat()}")
    return tuple(charges)


def gap_charges(
    slots: Iterable[SlotTerms], reported: Iterable[Segment], *, cuts: Iterable[datetime] = ()
) -> tuple[Charge, ...]:
    """Price the contracted time that no segment covers: all of it is undelivered.

    Segments of one offering do not overlap.
    """
    charges: list[Charge] = []
    cuts = tuple(cuts)
    covered = Timelines((segment.offering_id, segment.interval, segment.interval) for segment in reported)
    for slot in sorted(slots, key=lambda slot: (slot.offering_id, slot.starts_at)):
        for gap in slot.interval.subtract(covered.during(slot.offering_id, slot.interval)):
            for piece in gap.split(cuts):
                charges += _capacity(slot, piece, delivered=0)
    return tuple(charges)


def due_charges(
    kind: ChargeKind, slot: SlotTerms, interval: Interval, quantity: int, *, credit_ppm: int, cuts: Iterable[datetime]
) -> list[Charge]:
    """Price units of a run of the schedule that were handed back or paused, at what stays due of their price."""
    return [
        replace(charge, kind=kind, due_ppm=PPM - credit_ppm)
        for piece in interval.split(cuts)
        for charge in _capacity(replace(slot, quantity=quantity), piece, delivered=quantity)
    ]


def reading_charges(reading: Reading, offering: OfferingTerms, *, cuts: Sequence[datetime] = ()) -> tuple[Charge, ...]:
    """Price a reading by the rate card, piece by piece where a cut lies inside of it; `cuts` are in order.

    A level has its value in each piece. Any other quantity is spread over the pieces by their seconds, to the
    billionth, so that they sum to it. Raises Unpriceable.
    """
    interval = reading.interval
    following = bisect_right(cuts, interval.start)
    if following == len(cuts) or cuts[following] >= interval.end:
        return (reading_charge(reading, _rate(offering, reading.meter, interval.start)),)
    pieces = interval.split(cuts)
    if unit(reading.meter).aggregation in {Aggregation.TIME_WEIGHTED, Aggregation.PERCENTILE_95}:
        quantities = [reading.quantity] * len(pieces)
    else:
        billionths = int(reading.quantity.scaleb(9))
        quantities = [Decimal(part).scaleb(-9) for part in spread(billionths, [whole_seconds(p) for p in pieces])]
    return tuple(
        reading_charge(
            Reading(reading.offering_id, reading.meter, piece, quantity), _rate(offering, reading.meter, piece.start)
        )
        for piece, quantity in zip(pieces, quantities, strict=True)
    )


def reading_charge(reading: Reading, rate: RateTerms) -> Charge:
    """Price a reading by one rate: a level weighs by its time, any other quantity counts as it is."""
    per_unit = raw_per_unit(reading.meter, rate.model)
    weight = 1 if per_unit == 1 else whole_seconds(reading.interval)
    numerator, denominator = reading.quantity.as_integer_ratio()
    raw = Fraction(numerator * weight, denominator)
    return _at_rate(rate, reading.offering_id, raw, per_unit, reading.interval)


def normalised_charges(delivered: Iterable[Charge], offering: OfferingTerms) -> tuple[Charge, ...]:
    """Price the normalised performance of delivered capacity, where the rate card has a price for it.

    TFLOPS-hours = units x rated dense TFLOPS of the listing x hours x coefficient of the precision, exactly: rated
    performance has three decimals, a coefficient six. Raises Unpriceable when one of them is not known.
    """
    meters = [meter for meter in sorted(NORMALISED) if offering.rate(meter) is not None]
    if not meters:
        return ()
    if offering.rated_tflops is None:
        raise Unpriceable(f"{offering.name} has no rated performance")
    found: list[Charge] = []
    for charge in delivered:
        if charge.kind is not ChargeKind.DELIVERED:
            continue
        for meter in meters:
            rate = _rate(offering, meter, charge.interval.start)
            coefficient = offering.coefficient_at(rate.precision, charge.interval.start)
            if coefficient is None:
                at = charge.interval.start.isoformat()
                raise Unpriceable(f"no coefficient for {rate.precision} is in force at {at}")
            raw = charge.raw_quantity * Fraction(offering.rated_tflops) * coefficient.coefficient_ppm / PPM
            per_unit = raw_per_unit(meter, rate.model)
            found.append(_at_rate(rate, charge.offering_id, raw, per_unit, charge.interval))
    return tuple(found)


def _rate(offering: OfferingTerms, meter: str, instant: datetime) -> RateTerms:
    rate = offering.rate(meter, instant)
    if rate is None:
        raise Unpriceable(f"no price was agreed for {meter}")
    return rate


def _at_rate(rate: RateTerms, offering_id: UUID, raw: Fraction, per_unit: int, interval: Interval) -> Charge:
    by_event = rate.by_event
    return Charge(
        kind=ChargeKind.METERED if by_event else ChargeKind.MEASURED,
        offering_id=offering_id,
        unit=rate.meter,
        price_micros=rate.price_micros if by_event else 0,
        base_quantity=rate.base_quantity,
        raw_quantity=raw,
        raw_per_unit=per_unit,
        interval=interval,
    )


@lru_cache(maxsize=1_024)  # asked for each reading
def raw_per_unit(meter: str, model: PriceModel = PriceModel.FLAT) -> int:
    """Return how many raw quantities make a unit of the meter; Unpriceable when its readings do not add up."""
    aggregation = unit(meter).aggregation
    if meter in _NORMALISED_SECONDS:
        return _NORMALISED_SECONDS[meter]
    if aggregation is Aggregation.TIME_WEIGHTED:
        return _LEVEL_SECONDS[meter]
    if aggregation is Aggregation.PERCENTILE_95 and model is not PriceModel.PERCENTILE:
        raise Unpriceable(f"{meter} is a percentile: single readings of it cannot be charged")
    return 1


def cuts_of(agreed: Terms) -> tuple[datetime, ...]:
    """Return the instants at which a price, a tax rate, an adjustment or a coefficient of the contract changes."""
    found = set(tax_cuts(agreed.sales_taxes, agreed.purchase_taxes))
    for offering in agreed.offerings:
        found |= {rate.effective_from for rate in offering.rates if rate.effective_from is not None}
        dated_terms: list[AdjustmentTerms | CoefficientTerms] = [*offering.adjustments, *offering.coefficients]
        for dated in dated_terms:
            found |= {edge for edge in (dated.effective_from, dated.effective_to) if edge is not None}
    return tuple(sorted(found))


def tax_cuts(*schedules: Sequence[TaxTerms]) -> tuple[datetime, ...]:
    """Return the instants at which one of the tax schedules changes its rate."""
    return tuple(sorted({tax.effective_from for taxes in schedules for tax in taxes}))


def whole_seconds(interval: Interval) -> int:
    """Return the length in seconds; Unpriceable when it is not a whole number: time is counted in seconds."""
    duration = interval.duration
    if duration.microseconds:
        raise Unpriceable(f"expected whole seconds, got {interval.start.isoformat()}/{interval.end.isoformat()}")
    return duration.days * DAY_SECONDS + duration.seconds


def _capacity(slot: SlotTerms, piece: Interval, *, delivered: int) -> list[Charge]:
    seconds = whole_seconds(piece)
    counts = ((ChargeKind.DELIVERED, delivered), (ChargeKind.UNDELIVERED, slot.quantity - delivered))
    return [
        Charge(
            kind=kind,
            offering_id=slot.offering_id,
            unit=slot.unit,
            price_micros=slot.price_micros,
            base_quantity=1,
            raw_quantity=Fraction(count * seconds),
            raw_per_unit=HOUR_SECONDS,
            interval=piece,
        )
        for kind, count in counts
        if count
    ]
