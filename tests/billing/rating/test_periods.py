"""Whole periods: charged in portions, out of order and with corrections, they cost what the total costs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.rates import AdjustmentTerms
from billing.contracts.terms import RateTerms, TaxTerms, Terms
from billing.rating import bills, charges, periods
from billing.rating.bills import LineKind
from billing.rating.charges import Charge, ChargeKind, Reading
from billing.rating.periods import Measured, Span
from catalog.measures.interval import Interval
from catalog.measures.tariffs import Period, PriceModel, Tier
from tests.billing.rating import worlds
from tests.billing.rating.worlds import OFFERING, START

DAY = timedelta(days=1)
WINDOW = Interval(START, START + 2 * DAY)
TIERS = (Tier(100, 500_000), Tier(300, 400_000), Tier(None, 300_000))
RATES = {
    "graduated": RateTerms("egress_gb", 500_000, model=PriceModel.GRADUATED, tiers=TIERS),
    "volume": RateTerms("egress_gb", 500_000, model=PriceModel.VOLUME, tiers=TIERS),
    "package": RateTerms("egress_gb", 30_000_000, base_quantity=100, model=PriceModel.PACKAGE),
    "minimum": RateTerms("egress_gb", 500_000, minimum_micros=200_000_000),
}


def span(rate: RateTerms, cuts: Sequence[datetime] = ()) -> Span:
    (found,) = periods.spans_of(worlds.terms(rates=(rate,)), WINDOW, cuts)
    return found


def settled(one: Span, quantities: Sequence[Fraction], *, until: datetime = WINDOW.end) -> tuple[Charge, ...]:
    return periods.owed(one, [Measured(quantity) for quantity in quantities], until=until, currency="CNY")


def amount(found: Sequence[Charge]) -> Fraction:
    """Sum quantity x price in yuan."""
    return sum((c.quantity * c.price_micros / c.base_quantity for c in found), Fraction(0)) / 10**6


def lines(found: Sequence[Charge], agreed: Terms) -> list[tuple[str, Fraction, int]]:
    bill = bills.customer_bill(found, agreed, currency="CNY")
    return [(str(line.kind), line.quantity, line.amount_minor) for line in bill.lines]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("graduated", [(100, 5_000), (Fraction("25.5"), 1_020)]),
        ("volume", [(Fraction("125.5"), 5_020)]),
        ("package", [(200, 6_000)]),
        ("minimum", [(Fraction("125.5"), 6_275), (Fraction("137.25"), 13_725)]),
    ],
)
def test_the_story_s_egress_under_every_model(model: str, expected: list[tuple[Fraction, int]]) -> None:
    found = settled(span(RATES[model]), [Fraction("125.5")])
    printed = lines(found, worlds.terms(rates=(RATES[model],)))
    assert [(quantity, minor) for _, quantity, minor in printed] == expected


@given(st.data())
def test_portions_in_any_order_and_with_corrections_add_up_to_the_total(data: st.DataObject) -> None:
    rate = RATES[data.draw(st.sampled_from(sorted(RATES)))]
    cut = START + DAY
    one = span(rate, [cut])
    charged: list[Charge] = []
    totals = [Fraction(0), Fraction(0)]
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, 1))
        change = data.draw(st.integers(-400, 400))
        totals[place] = max(Fraction(0), totals[place] + change)
        until = data.draw(st.sampled_from([cut - DAY / 2, cut, WINDOW.end]))
        charged += periods.difference(settled(one, totals, until=until), charged)
    charged += periods.difference(settled(one, totals), charged)
    whole = settled(one, totals)
    assert amount(charged) == amount(whole)
    assert not periods.difference(whole, charged)
    if rate.model in {PriceModel.GRADUATED, PriceModel.VOLUME}:
        tariff = [c for c in charged if c.kind is ChargeKind.TARIFF]
        assert sum(c.raw_quantity for c in tariff) == sum(totals)


def test_tiers_run_on_over_a_change_of_the_tax_rate() -> None:
    cut = START + DAY
    one = span(RATES["graduated"], [cut])
    taxes = (TaxTerms("CN", "S", 60_000, START - DAY, cut), TaxTerms("CN", "S", 90_000, cut))
    found = settled(one, [Fraction(80), Fraction(60)])
    bill = bills.customer_bill(found, worlds.terms(rates=(RATES["graduated"],), taxes=taxes), currency="CNY")
    assert [(int(line.quantity), line.price_micros, line.tax.rate_ppm) for line in bill.lines] == [
        (80, 500_000, 60_000),
        (20, 500_000, 90_000),
        (40, 400_000, 90_000),
    ]


def test_a_minimum_is_due_when_the_period_is_over_and_not_after_a_failure() -> None:
    one = span(RATES["minimum"])
    before = settled(one, [Fraction(10)], until=WINDOW.end - DAY)
    assert [charge.kind for charge in before] == [ChargeKind.TARIFF]
    after = settled(one, [Fraction(10)])
    assert [(charge.kind, int(charge.quantity)) for charge in after] == [
        (ChargeKind.TARIFF, 10),
        (ChargeKind.MINIMUM, 195),
    ]
    assert [charge.kind for charge in settled(one, [Fraction(500)])] == [ChargeKind.TARIFF]
    failed = periods.owed(one, [Measured(Fraction(10))], until=WINDOW.end, currency="CNY", minimum_falls_away=True)
    assert [charge.kind for charge in failed] == [ChargeKind.TARIFF]


def test_bandwidth_is_charged_at_its_95th_percentile_when_the_period_is_over() -> None:
    rate = RateTerms("bandwidth_mbps_p95", 60_000_000, model=PriceModel.PERCENTILE)
    one = span(rate)
    samples = Measured(seconds_by_level={Fraction(level): 300 for level in range(1, 101)})
    assert periods.owed(one, [samples], until=WINDOW.end - DAY, currency="CNY") == ()
    (charge,) = periods.owed(one, [samples], until=WINDOW.end, currency="CNY")
    assert [charge.quantity, amount([charge])] == [Fraction(95), Fraction(5_700)]


def test_a_billing_month_begins_at_midnight_in_shanghai() -> None:
    window = Interval(datetime(2026, 1, 30, 16, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
    assert periods.month_edges(window) == (
        datetime(2026, 1, 31, 16, tzinfo=UTC),
        datetime(2026, 2, 28, 16, tzinfo=UTC),
    )
    monthly = RateTerms("egress_gb", 500_000, minimum_micros=10_000_000, period=Period.MONTH)
    found = periods.spans_of(worlds.terms(rates=(monthly,)), window, ())
    assert [one.interval.start for one in found] == [window.start, *periods.month_edges(window)]


def test_a_price_announced_before_the_contract_starts_tiers_anew() -> None:
    change = START + DAY
    later = RateTerms("egress_gb", 1_000_000, model=PriceModel.GRADUATED, tiers=TIERS, effective_from=change)
    agreed = worlds.terms(rates=(RATES["graduated"], later))
    first, second = periods.spans_of(agreed, WINDOW, charges.cuts_of(agreed))
    assert (first.interval.end, second.interval.start) == (change, change)
    reading = Reading(OFFERING, "egress_gb", Interval(change - DAY / 4, change + DAY / 4), Decimal("1.000000001"))
    found = charges.reading_charges(reading, agreed.offerings[0], cuts=charges.cuts_of(agreed))
    assert [charge.raw_quantity for charge in found] == [Fraction("0.500000001"), Fraction("0.5")]
    assert {charge.kind for charge in found} == {ChargeKind.MEASURED}


@given(st.data())
def test_a_reading_cut_anywhere_keeps_its_quantity(data: st.DataObject) -> None:
    meter = data.draw(st.sampled_from(["egress_gb", "storage_gb_months", "tokens_in"]))
    agreed = worlds.terms(rates=(RateTerms(meter, 500_000),))
    offsets = data.draw(st.lists(st.integers(1, 7_199), max_size=4))
    quantity = data.draw(st.decimals(0, 10**6, places=9))
    reading = Reading(OFFERING, meter, Interval(START, START + timedelta(hours=2)), quantity)
    cuts = sorted(worlds.second(offset) for offset in offsets)
    found = charges.reading_charges(reading, agreed.offerings[0], cuts=cuts)
    (whole,) = charges.reading_charges(reading, agreed.offerings[0])
    assert sum(charge.raw_quantity for charge in found) == whole.raw_quantity
    assert [charge.interval for charge in found] == list(reading.interval.split(cuts))


def test_a_class_and_a_quality_of_service_change_the_rate_card_but_not_the_round_s_price() -> None:
    change = START + timedelta(hours=1)
    partner = AdjustmentTerms("class partner", 800_000, START - DAY, change)
    urgent = AdjustmentTerms("quality high", 1_600_000, change, meter="egress_gb")
    agreed = worlds.terms(rates=(RateTerms("egress_gb", 500_000), RateTerms("energy_kwh", 1_500_000)))
    offering = agreed.offerings[0]
    adjusted = Terms(
        **{
            **{name: getattr(agreed, name) for name in Terms.__slots__},
            "offerings": (
                type(offering)(
                    **{
                        **{name: getattr(offering, name) for name in type(offering).__slots__},
                        "adjustments": (partner, urgent),
                    }
                ),
            ),
        }
    )
    cuts = charges.cuts_of(adjusted)
    found: list[Charge] = []
    for meter in ("egress_gb", "energy_kwh"):
        reading = Reading(OFFERING, meter, Interval(START, START + timedelta(hours=2)), Decimal(100))
        found += charges.reading_charges(reading, adjusted.offerings[0], cuts=cuts)
    assert [(kind, int(quantity), minor) for kind, quantity, minor in lines(found, adjusted)] == [
        ("metered", 50, 2_500),
        ("metered", 50, 7_500),
        ("metered", 50, 2_500),
        ("metered", 50, 7_500),
        ("adjustment", 20, -2_000),  # of 100.00
        ("adjustment", 60, 1_500),  # of 25.00
    ]
    statement = bills.provider_bill(found, adjusted, currency="CNY")
    assert statement.sum_minor(LineKind.COMMISSION) == -780  # 4 % of 195.00
    assert Terms.from_document(adjusted.to_document()) == adjusted
