"""The words of invoice lines, in the language of the books (English)."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from billing.contracts.terms import OfferingTerms, Terms
from billing.periods.rules import BOOKS_ZONE
from billing.rating.bills import Line, LineKind
from billing.rating.charges import Charge
from catalog.measures.interval import Interval
from catalog.measures.price import format_micros
from catalog.measures.rounding import PPM, half_up_exact
from catalog.measures.units import unit

SHOWN_INTERVALS: Final = 3

_DONE: Final = {
    LineKind.RETURNED: "handed back",
    LineKind.PAUSED: "paused",
    LineKind.RESOLD: "sold back",
    LineKind.RESALE: "sold back",
}

_METERS: Final = {
    "egress_gb": "Egress",
    "ingress_gb": "Ingress",
    "storage_gb_months": "Storage (a month is 730 hours)",
    "storage_tb_months": "Storage (a month is 730 hours)",
    "memory_gb_hours": "Memory",
    "memory_gib_hours": "Memory",
    "tokens_in": "Input tokens",
    "tokens_out": "Output tokens",
    "energy_kwh": "Energy",
    "tflops_hours": "Rated performance",
    "pflops_hours": "Rated performance",
    "bandwidth_mbps_p95": "Bandwidth, 95th percentile",
}


def description(line: Line, charges: Sequence[Charge], terms: Terms) -> str:
    """Say in one sentence what a line is for; `charges` are those behind it."""
    if line.kind is LineKind.FEE:
        return "Exchange fee"
    if line.kind is LineKind.COMMISSION:
        return "Exchange commission"
    if line.kind is LineKind.VOUCHER:
        return f"Voucher {line.label}"
    assert line.offering_id is not None, line
    offering = terms.offering(line.offering_id)
    if line.kind is LineKind.SLA_CREDIT:
        missing = sum((charge.quantity for charge in charges), Fraction(0))
        what = f"{_plain(missing)} {_plural(offering.unit)} not delivered"
        return f"SLA credit, {what} on {_when([charge.interval for charge in charges])}"
    if line.kind in _DONE:
        is_credit = line.kind is LineKind.RESALE
        quantity = sum((charge.quantity for charge in charges), Fraction(0))
        when = _when([charge.interval for charge in charges])
        what = f"{_plain(quantity)} {_plural(offering.unit)} {_DONE[line.kind]}"
        prices = " and ".join(format_micros(micros) for micros in sorted({charge.price_micros for charge in charges}))
        return f"Credit for {what} at {prices} for {when}" if is_credit else f"Still due of {what} for {when}"
    if line.kind is LineKind.ADJUSTMENT:
        return f"{_reasons(line, offering)}, {offering.name}, {offering.place}"
    if line.kind in {LineKind.METERED, LineKind.MINIMUM}:
        meter = line.unit if line.kind is LineKind.METERED else charges[0].unit
        what = _METERS.get(meter, unit(meter).name_en.capitalize())
        if line.kind is LineKind.MINIMUM:
            what = f"Minimum, what is missing to it: {what}"
        return what if len(terms.offerings) == 1 else f"{what}, {offering.name}, {offering.place}"
    assert line.price_micros is not None, line
    return f"{offering.name}, {offering.place}, round price {format_micros(line.price_micros)}"


def _reasons(line: Line, offering: OfferingTerms) -> str:
    """Name the customer class or quality of service that an adjustment line comes from."""
    factor_ppm = PPM + (line.share_ppm or 0) * (1 if line.amount_minor * (line.share_base_minor or 0) >= 0 else -1)
    reasons = {one.reason for one in offering.adjustments if one.factor_ppm == factor_ppm}
    return f"Rate card for {' and '.join(sorted(reasons))}" if reasons else "Rate card adjusted"


def _when(intervals: Sequence[Interval]) -> str:
    """Name the first few intervals, joined where they meet, in the zone of the books."""
    joined: list[Interval] = []
    for interval in sorted(intervals):
        if joined and interval.start <= joined[-1].end:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    shown = ", ".join(_span(interval) for interval in joined[:SHOWN_INTERVALS])
    more = len(joined) - SHOWN_INTERVALS
    return f"{shown} and {more} more times" if more > 0 else shown


def _span(interval: Interval) -> str:
    start, end = interval.start.astimezone(BOOKS_ZONE), interval.end.astimezone(BOOKS_ZONE)
    # Midnight at the end of a day is written as that day's 24:00.
    if (end.hour, end.minute, end.second) == (0, 0, 0) and (end.date() - start.date()).days == 1:
        return f"{start:%Y-%m-%d} {_clock(start)}-24:00"
    if start.date() == end.date():
        return f"{start:%Y-%m-%d} {_clock(start)}-{_clock(end)}"
    return f"{start:%Y-%m-%d} {_clock(start)} to {end:%Y-%m-%d} {_clock(end)}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _plural(unit_code: str) -> str:
    return f"{unit(unit_code).name_en}s"


def _plain(quantity: Fraction) -> str:
    """Spell a quantity for a sentence: whole, or to the hundredth (the line itself is exact)."""
    if quantity.denominator == 1:
        return str(quantity.numerator)
    hundredths = half_up_exact(quantity * 100)
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"
