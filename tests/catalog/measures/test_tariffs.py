"""Tariffs against a slow obvious count: unit by unit, second by second."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.measures import tariffs
from catalog.measures.rounding import spread
from catalog.measures.tariffs import Part, PriceModel, Tariff, Tier

TIERS = (Tier(100_000, 120_000), Tier(500_000, 100_000), Tier(None, 80_000))  # core-hours of CAS IAP


def cost(tariff: Tariff, quantity: int | Fraction) -> Fraction:
    """Return what a quantity costs, in major units of the currency."""
    found = tariffs.parts(tariff, Fraction(quantity))
    return sum((p.quantity * p.price_micros / tariff.base_quantity for p in found), Fraction(0)) / 10**6


def test_graduated_core_hours_cost_each_tier_its_price() -> None:
    tariff = Tariff(120_000, model=PriceModel.GRADUATED, tiers=TIERS)
    assert cost(tariff, 100_000) == 12_000
    assert cost(tariff, 600_000) == 12_000 + 40_000 + 8_000
    assert cost(tariff, Fraction("100000.5")) == Fraction("12000.05")


def test_volume_core_hours_all_cost_the_price_that_the_total_reaches() -> None:
    tariff = Tariff(120_000, model=PriceModel.VOLUME, tiers=TIERS)
    assert [cost(tariff, q) for q in (100_000, 100_001, 600_000)] == [
        Fraction(12_000),
        Fraction("10000.1"),
        Fraction(48_000),
    ]


def test_prepaid_core_hours_come_in_begun_packages() -> None:
    tariff = Tariff(25_000_000, base_quantity=1_000, model=PriceModel.PACKAGE)  # Central South University
    assert [cost(tariff, quantity) for quantity in (0, Fraction(1, 9), 1_000, 1_001)] == [0, 25, 25, 50]


def test_of_a_hundred_samples_the_95th_is_charged() -> None:
    samples = {Fraction(level): 300 for level in range(1, 101)}
    assert tariffs.percentile_95(samples) == 95
    assert tariffs.percentile_95({Fraction(10): 19 * 300, Fraction(900): 300}) == 10
    assert tariffs.percentile_95({Fraction(10): 18 * 300, Fraction(900): 300}) == 900
    assert tariffs.percentile_95({}) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20)), min_size=1, max_size=8))
def test_a_percentile_is_the_nearest_rank_of_every_second(samples: list[tuple[int, int]]) -> None:
    seconds: dict[Fraction, int] = {}
    for level, held in samples:
        seconds[Fraction(level)] = seconds.get(Fraction(level), 0) + held
    every = sorted(level for level, held in samples for _ in range(held))
    rank = -(-95 * len(every) // 100)
    assert tariffs.percentile_95(seconds) == every[rank - 1]


@st.composite
def tiered(draw: st.DrawFn) -> Tariff:
    edges = sorted(draw(st.sets(st.integers(1, 30), max_size=4)))
    prices = draw(st.lists(st.integers(0, 9), min_size=len(edges) + 1, max_size=len(edges) + 1))
    tiers = tuple(Tier(edge, price) for edge, price in zip([*edges, None], prices, strict=True))
    model = draw(st.sampled_from([PriceModel.GRADUATED, PriceModel.VOLUME]))
    return Tariff(prices[0], model=model, tiers=tiers)


@given(tiered(), st.integers(0, 60))
def test_tiers_are_counted_unit_by_unit(tariff: Tariff, quantity: int) -> None:
    def price_of(place: int) -> int:
        return next(tier.price_micros for tier in tariff.tiers if tier.up_to is None or place <= tier.up_to)

    every = range(1, quantity + 1)
    graduated = sum(price_of(place) for place in every)
    volume = sum(price_of(quantity) for _ in every)
    expected = graduated if tariff.model is PriceModel.GRADUATED else volume
    assert cost(tariff, quantity) * 10**6 == expected
    assert not list(tariffs.problems(tariff, meter="egress_gb", currency="CNY"))


def test_flat_is_one_part_and_nothing_is_none() -> None:
    assert tariffs.parts(Tariff(5), Fraction(7, 3)) == (Part(5, Fraction(7, 3)),)
    assert tariffs.parts(Tariff(5), Fraction(0)) == ()


@pytest.mark.parametrize(
    ("tariff", "meter", "pointers"),
    [
        (Tariff(-1), "egress_gb", ["/price"]),
        (Tariff(1, base_quantity=0), "egress_gb", ["/base_quantity"]),
        (Tariff(1), "bandwidth_mbps_p95", ["/model"]),
        (Tariff(1, model=PriceModel.PERCENTILE), "egress_gb", ["/model"]),
        (Tariff(1, tiers=(Tier(None, 1),)), "egress_gb", ["/tiers"]),
        (Tariff(1, model=PriceModel.VOLUME), "egress_gb", ["/tiers"]),
        (
            Tariff(1, model=PriceModel.GRADUATED, tiers=(Tier(5, 1), Tier(5, 1), Tier(None, 1))),
            "egress_gb",
            ["/tiers/1/up_to"],
        ),
        (
            Tariff(1, model=PriceModel.GRADUATED, tiers=(Tier(None, 1), Tier(None, -1))),
            "egress_gb",
            ["/tiers/0/up_to", "/tiers/1/price"],
        ),
        (Tariff(1, model=PriceModel.GRADUATED, tiers=(Tier(5, 1),)), "egress_gb", ["/tiers/0/up_to"]),
        (Tariff(1, minimum_micros=10_001), "egress_gb", ["/minimum"]),
        (Tariff(1, minimum_micros=-10_000), "egress_gb", ["/minimum"]),
    ],
)
def test_what_is_wrong_with_a_tariff_is_named(tariff: Tariff, meter: str, pointers: list[str]) -> None:
    found = list(tariffs.problems(tariff, meter=meter, currency="CNY"))
    assert [problem.pointer for problem in found] == pointers
    assert all(problem.expected for problem in found)


@given(st.integers(-(10**6), 10**6), st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_a_split_sums_to_the_whole_and_no_part_is_a_unit_off(total: int, weights: list[int]) -> None:
    if not sum(weights):
        with pytest.raises(ValueError, match="weights"):
            spread(total, weights)
        return
    parts = spread(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part - Fraction(total * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True)
    )
    assert spread(-total, weights) == tuple(-part for part in parts)


def test_equal_remainders_go_to_the_earlier_place() -> None:
    assert spread(100, [1, 1, 1]) == (34, 33, 33)
    assert spread(-5, [1, 1]) == (-3, -2)
