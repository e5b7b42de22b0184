"""Vouchers take from a bill what their scope and worth allow, and the tax follows."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.terms import RateTerms, SlotTerms, TaxTerms, Terms
from billing.rating import bills, charges, vouchers
from billing.rating.bills import Bill, LineKind
from billing.rating.charges import Reading, Segment
from billing.rating.vouchers import VoucherTerms
from catalog.measures.interval import Interval
from tests.billing.rating import worlds
from tests.billing.rating.worlds import OFFERING, START

HOUR = timedelta(hours=1)
RATE = RateTerms("egress_gb", 500_000)


def voucher(
    number: int,
    remaining_minor: int,
    *,
    meters: frozenset[str] = frozenset(),
    resources: frozenset[str] = frozenset(),
    days: int = 30,
) -> VoucherTerms:
    end = START + timedelta(days=days)
    return VoucherTerms(UUID(int=number), f"V{number}", remaining_minor, START, end, meters, resources)


def bill(terms: Terms, cuts: tuple[object, ...] = ()) -> Bill:
    slots = (SlotTerms(OFFERING, START, START + 2 * HOUR, 1, "card_hours", 10_000_000),)
    found = charges.segment_charges(
        Segment(OFFERING, slots[0].interval, 1), slots, cuts=charges.tax_cuts(terms.sales_taxes)
    )
    reading = Reading(OFFERING, "egress_gb", Interval(START, START + HOUR), Decimal(10))
    return bills.customer_bill([*found, charges.reading_charge(reading, RATE)], terms, currency="CNY")


def test_a_voucher_lowers_the_net_and_the_tax_on_it() -> None:
    plain = bill(worlds.terms())  # 20.00 + 5.00 + fee 0.20
    assert (plain.net_minor, plain.tax_minor) == (2_520, 151)
    less, uses = vouchers.apply(plain, [voucher(1, 1_000)], worlds.terms(), at=START)
    assert (less.net_minor, less.tax_minor) == (1_520, 91)
    assert [use.amount_minor for use in uses] == [1_000]
    assert [(line.kind, line.label) for line in less.lines if line.kind is LineKind.VOUCHER] == [
        (LineKind.VOUCHER, "V1")
    ]


def test_a_voucher_covers_its_scope_only() -> None:
    plain = bill(worlds.terms())

    def taken(one: VoucherTerms) -> int:
        _, uses = vouchers.apply(plain, [one], worlds.terms(), at=START)
        return sum(use.amount_minor for use in uses)

    assert taken(voucher(1, 10**6, meters=frozenset({"egress_gb"}))) == 500
    assert taken(voucher(1, 10**6, meters=frozenset({"storage_gb_months"}))) == 0
    assert taken(voucher(1, 10**6, resources=frozenset({"ascend-910b3"}))) == 2_500
    assert taken(voucher(1, 10**6, resources=frozenset({"h800"}))) == 0
    assert taken(voucher(1, 10**6)) == 2_500  # the fee is the exchange's own


def test_a_voucher_counts_from_its_first_to_before_its_last_instant() -> None:
    plain, one = bill(worlds.terms()), voucher(1, 100)
    for at, found in ((START - HOUR, 0), (START, 1), (one.valid_to - HOUR, 1), (one.valid_to, 0)):
        assert len(vouchers.apply(plain, [one], worlds.terms(), at=at)[1]) == found


def test_what_expires_first_is_used_first() -> None:
    later, sooner = voucher(1, 1_500, days=60), voucher(2, 1_500, days=30)
    _, uses = vouchers.apply(bill(worlds.terms()), [later, sooner], worlds.terms(), at=START)
    assert [(use.voucher_id, use.amount_minor) for use in uses] == [(sooner.id, 1_500), (later.id, 1_000)]


@given(st.lists(st.integers(1, 3_000), max_size=4), st.integers(0, 120_000))
def test_vouchers_never_pay_more_than_there_is_and_split_over_tax_rates_exactly(
    worths: list[int], second_rate: int
) -> None:
    change = START + HOUR
    taxes = (TaxTerms("CN", "S", 60_000, START - HOUR, change), TaxTerms("CN", "S", second_rate, change))
    terms = worlds.terms(taxes=taxes)
    plain = bill(terms)
    less, uses = vouchers.apply(plain, [voucher(n, worth) for n, worth in enumerate(worths)], terms, at=START)
    used = sum(use.amount_minor for use in uses)
    assert used == min(sum(worths), 2_500) == -less.sum_minor(LineKind.VOUCHER)
    assert less.net_minor == plain.net_minor - used
    assert all(total.base_minor >= 0 for total in less.taxes)
    assert less.taxes == bills.taxes_of(less.lines)
