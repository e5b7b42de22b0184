"""Tariffs that price a whole period: tiers, packages, percentiles and minimums, in portions that add up.

Readings of such a meter are measured one by one and cost nothing by themselves. What a period has cost so far
follows from all of them (`owed`), and what is charged now is the difference to what was charged before. So it does
not matter when invoices are drawn, in which order reports come in, or what is corrected later.

A period is cut where its price, a tax rate or an adjustment changes. Tiers run on over a cut: each piece is charged
what the total costs with it less what it costs without it. A percentile and a minimum are charged when the
period is over, with its last piece.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from billing.contracts.terms import RateTerms, Terms
from billing.periods.rules import BOOKS_ZONE
from billing.rating.charges import Charge, ChargeKind, raw_per_unit
from catalog.measures import price, tariffs
from catalog.measures.interval import Interval
from catalog.measures.money import exponent
from catalog.measures.price import MICROS
from catalog.measures.tariffs import Period, PriceModel


@dataclass(frozen=True, slots=True)
class Span:
    """One tariff over one of its periods, in pieces between cuts."""

    offering_id: UUID
    rate: RateTerms
    interval: Interval
    pieces: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in a piece, in raw quantities; of a percentile the seconds that each level was held."""

    raw_quantity: Fraction = Fraction(0)
    seconds_by_level: Mapping[Fraction, int] | None = None


def spans_of(agreed: Terms, window: Interval, cuts: Iterable[datetime]) -> tuple[Span, ...]:
    """Return the tariffs of a contract that price whole periods, each over each of its periods in the window."""
    cuts = tuple(cuts)
    found: list[Span] = []
    for offering in agreed.offerings:
        for rate in offering.rates:
            held = None if rate.tariff.by_event else _held(rate, offering.rates, window)
            if held is None:
                continue
            edges = month_edges(held) if rate.period is Period.MONTH else ()
            found += [
                Span(offering.offering_id, rate, interval, interval.split(cuts)) for interval in held.split(edges)
            ]
    return tuple(found)


def are_priced(agreed: Terms) -> bool:
    """Whether a contract has a tariff that prices whole periods."""
    return any(not rate.tariff.by_event for offering in agreed.offerings for rate in offering.rates)


def month_edges(interval: Interval) -> tuple[datetime, ...]:
    """Return the starts of billing months inside an interval: midnights of the first in the zone of the books."""
    edges: list[datetime] = []
    first = interval.start.astimezone(BOOKS_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while first < interval.end:
        if first > interval.start:
            edges.append(first)
        first = (first + timedelta(days=32)).replace(day=1)
    return tuple(edges)


def month_cuts(agreed: Terms, window: Interval) -> tuple[datetime, ...]:
    """Return where readings have to be cut because a tariff of the contract counts by billing month."""
    rates = (rate for offering in agreed.offerings for rate in offering.rates)
    counts = any(rate.period is Period.MONTH and not rate.tariff.by_event for rate in rates)
    return month_edges(window) if counts else ()


def owed(
    span: Span, measured: Sequence[Measured], *, until: datetime, currency: str, minimum_falls_away: bool = False
) -> tuple[Charge, ...]:
    """Return everything that a period costs as far as it has run by `until`; `measured` is in the order of its pieces.

    No charge ends after `until`. Amounts are exact but the minimum's, which makes up the printed lines to it.
    """
    assert len(measured) == len(span.pieces), (len(measured), len(span.pieces))
    over = span.interval.end <= until
    if span.rate.model is PriceModel.PERCENTILE:
        found = _percentile(span, measured) if over else []
    else:
        found = _by_piece(span, measured, until)
    if over and span.rate.minimum_micros and not minimum_falls_away:
        found += _minimum(span, found, currency)
    return tuple(found)


def difference(owed: Iterable[Charge], charged: Iterable[Charge]) -> tuple[Charge, ...]:
    """Return the charges that lead from what was charged to what is owed; pieces are told apart by their start."""
    wanted: dict[tuple[object, ...], Charge] = {}
    for charge, sign in [*((each, 1) for each in owed), *((each, -1) for each in charged)]:
        key = (charge.kind, charge.unit, charge.interval.start, charge.price_micros, charge.base_quantity)
        before = wanted.get(key)
        raw = sign * charge.raw_quantity + (before.raw_quantity if before else 0)
        wanted[key] = _with(before or charge, raw)
    return tuple(charge for charge in wanted.values() if charge.raw_quantity)


def _held(rate: RateTerms, rates: Sequence[RateTerms], window: Interval) -> Interval | None:
    """Return how long a rate holds in the window: until the next one of its meter."""
    start = window.start if rate.effective_from is None else max(window.start, rate.effective_from)
    later = [
        other.effective_from
        for other in rates
        if other.meter == rate.meter and other.effective_from is not None and other.effective_from > start
    ]
    end = min([window.end, *later])
    replaced = any(
        other.meter == rate.meter
        and other.effective_from is not None
        and (rate.effective_from is None or other.effective_from > rate.effective_from)
        and other.effective_from <= start
        for other in rates
    )
    return None if replaced or start >= end else Interval(start, end)


def _by_piece(span: Span, measured: Sequence[Measured], until: datetime) -> list[Charge]:
    per_unit = raw_per_unit(span.rate.meter, span.rate.model)
    found: list[Charge] = []
    total = Fraction(0)
    before: tuple[tariffs.Part, ...] = ()
    for piece, amount in zip(span.pieces, measured, strict=True):
        if piece.start >= until:
            break
        total += amount.raw_quantity
        after = tariffs.parts(span.rate.tariff, total / per_unit)
        run = Interval(piece.start, min(piece.end, until))
        found += [
            _charge(span, run, price_micros, quantity * per_unit, per_unit)
            for price_micros, quantity in _change(before, after)
        ]
        before = after
    return found


def _change(before: Sequence[tariffs.Part], after: Sequence[tariffs.Part]) -> list[tuple[int, Fraction]]:
    quantities: dict[int, Fraction] = {}
    for part in after:
        quantities[part.price_micros] = quantities.get(part.price_micros, Fraction(0)) + part.quantity
    for part in before:
        quantities[part.price_micros] = quantities.get(part.price_micros, Fraction(0)) - part.quantity
    return [(price_micros, quantity) for price_micros, quantity in quantities.items() if quantity]


def _percentile(span: Span, measured: Sequence[Measured]) -> list[Charge]:
    seconds: dict[Fraction, int] = {}
    for amount in measured:
        for level, held in (amount.seconds_by_level or {}).items():
            seconds[level] = seconds.get(level, 0) + held
    level = tariffs.percentile_95(seconds)
    if not level:
        return []
    return [_charge(span, span.pieces[-1], span.rate.price_micros, level, 1)]


def _minimum(span: Span, found: Sequence[Charge], currency: str) -> list[Charge]:
    """Return what is missing to the minimum: the rest of it that the printed lines leave."""
    digits = exponent(currency)
    minimum_minor = span.rate.minimum_micros * 10**digits // MICROS
    printed_minor = sum(
        price.amount_minor(charge.quantity, charge.price_micros, base_quantity=charge.base_quantity, currency=currency)
        for charge in found
    )
    if printed_minor >= minimum_minor:
        return []
    return [
        Charge(
            kind=ChargeKind.MINIMUM,
            offering_id=span.offering_id,
            unit=span.rate.meter,  # whose minimum it is; it is counted in whole units of the currency
            price_micros=MICROS,
            base_quantity=1,
            raw_quantity=Fraction(minimum_minor - printed_minor),
            raw_per_unit=10**digits,
            interval=span.pieces[-1],
        )
    ]


def _charge(span: Span, interval: Interval, price_micros: int, raw: Fraction, per_unit: int) -> Charge:
    return Charge(
        kind=ChargeKind.TARIFF,
        offering_id=span.offering_id,
        unit=span.rate.meter,
        price_micros=price_micros,
        base_quantity=span.rate.base_quantity,
        raw_quantity=raw,
        raw_per_unit=per_unit,
        interval=interval,
    )


def _with(charge: Charge, raw: Fraction) -> Charge:
    return Charge(
        charge.kind,
        charge.offering_id,
        charge.unit,
        charge.price_micros,
        charge.base_quantity,
        raw,
        charge.raw_per_unit,
        charge.interval,
    )
