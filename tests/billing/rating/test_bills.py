"""Bills against a slow obvious sum, and their laws: one rounding a line, tax once a rate, same input same bill."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.terms import RateTerms, SlotTerms, TaxTerms
from billing.rating import bills, charges
from billing.rating.bills import LineKind
from billing.rating.charges import Charge, ChargeKind, Reading, Segment
from catalog.measures.interval import Interval
from tests.billing.rating import worlds
from tests.billing.rating.worlds import OFFERING, START


@st.composite
def charged(draw: st.DrawFn) -> list[Charge]:
    slots = draw(worlds.schedules())
    segments = draw(worlds.deliveries(slots))
    found = [charge for segment in segments for charge in charges.segment_charges(segment, slots)]
    found += charges.gap_charges(slots, segments)
    rate = RateTerms("egress_gb", 500_000)
    for quantity in draw(st.lists(st.decimals(0, 1000, places=9), max_size=3)):
        found.append(charges.reading_charge(Reading(OFFERING, "egress_gb", slots[0].interval, quantity), rate))
    return found


def half_up(value: Fraction) -> int:
    """Round by looking at the distance to both neighbours."""
    floor = value.numerator // value.denominator
    if value - floor == Fraction(1, 2):
        return floor + 1 if value > 0 else floor
    return floor if value - floor < Fraction(1, 2) else floor + 1


def priced(found: list[Charge], kind: ChargeKind, price_micros: int) -> Fraction:
    """Sum quantity x price in fen, charge by charge."""
    return sum(
        (c.quantity * c.price_micros / 10_000 for c in found if c.kind is kind and c.price_micros == price_micros),
        Fraction(0),
    )


@given(charged())
def test_a_bill_is_the_sum_of_its_prices_each_rounded_once(found: list[Charge]) -> None:
    bill = bills.customer_bill(found, worlds.terms(), currency="CNY")
    delivered = {charge.price_micros for charge in found if charge.kind is ChargeKind.DELIVERED}
    capacity = sum(half_up(priced(found, ChargeKind.DELIVERED, price)) for price in delivered)
    missing = {charge.price_micros for charge in found if charge.kind is ChargeKind.UNDELIVERED}
    undelivered = half_up(sum((priced(found, ChargeKind.UNDELIVERED, price) for price in missing), Fraction(0)))
    extras = half_up(priced(found, ChargeKind.METERED, 500_000))
    net = capacity + extras - half_up(Fraction(undelivered, 10)) + half_up(Fraction(capacity, 100))
    assert bill.net_minor == net
    assert bill.tax_minor == half_up(Fraction(net * 6, 100))

    statement = bills.provider_bill(found, worlds.terms(), currency="CNY")
    owed = capacity + extras - half_up(Fraction(undelivered, 10)) - half_up(Fraction((capacity + extras) * 4, 100))
    assert statement.net_minor == owed
    assert statement.tax_minor == half_up(Fraction(owed * 6, 100))


@given(charged(), st.randoms(use_true_random=False))
def test_the_order_of_charges_does_not_change_the_bill(found: list[Charge], shuffle: object) -> None:
    mixed = list(found)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (bills.customer_bill(each, worlds.terms(), currency="CNY") for each in (found, mixed))
    assert [(line.kind, line.raw_quantity, line.amount_minor, line.starts_at) for line in one.lines] == [
        (line.kind, line.raw_quantity, line.amount_minor, line.starts_at) for line in other.lines
    ]


@given(charged())
def test_every_charge_is_behind_exactly_one_line(found: list[Charge]) -> None:
    bill = bills.customer_bill(found, worlds.terms(), currency="CNY")
    assert sorted(position for line in bill.lines for position in line.charges) == list(range(len(found)))


@given(charged(), st.integers(0, 60))
def test_bills_drawn_in_two_portions_bill_the_same_quantities(found: list[Charge], portion: int) -> None:
    def quantities(*portions: list[Charge]) -> dict[tuple[LineKind, int | None], Fraction]:
        totals: dict[tuple[LineKind, int | None], Fraction] = {}
        for each in portions:
            for line in bills.customer_bill(each, worlds.terms(), currency="CNY").lines:
                if line.kind in (LineKind.CAPACITY, LineKind.METERED):
                    key = (line.kind, line.price_micros)
                    totals[key] = totals.get(key, Fraction(0)) + line.raw_quantity
        return totals

    assert quantities(found[:portion], found[portion:]) == quantities(found)


@given(charged())
def test_a_bill_and_its_reversal_cancel_to_the_fen(found: list[Charge]) -> None:
    bill = bills.customer_bill(found, worlds.terms(), currency="CNY")
    reversal = [replace(charge, raw_quantity=-charge.raw_quantity) for charge in found]
    back = bills.customer_bill(reversal, worlds.terms(), currency="CNY")
    assert bill.total_minor + back.total_minor == 0


def test_a_tax_rate_that_changes_during_delivery_splits_lines_fee_and_tax() -> None:
    change = START + timedelta(hours=1)
    taxes = (
        TaxTerms("CN", "S", 60_000, START - timedelta(days=1), change),
        TaxTerms("CN", "S", 90_000, change),
    )
    agreed = worlds.terms(taxes=taxes)
    slots = (SlotTerms(OFFERING, START, START + timedelta(hours=3), 1, "card_hours", 100_000_000),)
    found = charges.segment_charges(
        Segment(OFFERING, slots[0].interval, 1), slots, cuts=charges.tax_cuts(agreed.sales_taxes)
    )
    bill = bills.customer_bill(found, agreed, currency="CNY")
    assert [(line.kind, line.amount_minor, line.tax.rate_ppm) for line in bill.lines] == [
        (LineKind.CAPACITY, 10_000, 60_000),
        (LineKind.CAPACITY, 20_000, 90_000),
        (LineKind.FEE, 100, 60_000),
        (LineKind.FEE, 200, 90_000),
    ]
    assert [(total.base_minor, total.tax_minor) for total in bill.taxes] == [(10_100, 606), (20_200, 1_818)]


def test_tokens_are_priced_by_their_base_quantity() -> None:
    rate = RateTerms("tokens_in", 800_000, base_quantity=1_000_000)
    agreed = worlds.terms(rates=(rate,))
    reading = Reading(OFFERING, "tokens_in", Interval(START, START + timedelta(hours=1)), Decimal(1_234_567))
    bill = bills.customer_bill([charges.reading_charge(reading, rate)], agreed, currency="CNY")
    assert [(line.kind, line.amount_minor) for line in bill.lines] == [(LineKind.METERED, 99)]


def test_extras_pay_no_fee_but_commission() -> None:
    rate = RateTerms("egress_gb", 500_000)
    reading = Reading(OFFERING, "egress_gb", Interval(START, START + timedelta(hours=1)), Decimal(100))
    found = [charges.reading_charge(reading, rate)]
    bill = bills.customer_bill(found, worlds.terms(), currency="CNY")
    statement = bills.provider_bill(found, worlds.terms(), currency="CNY")
    assert (bill.net_minor, statement.net_minor) == (5_000, 4_800)
    assert bill.sum_minor(LineKind.FEE) == 0
    assert statement.sum_minor(LineKind.COMMISSION) == -200
