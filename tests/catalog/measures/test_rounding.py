"""Rounding half up and exact splits."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.measures import rounding

AMOUNTS = st.integers(-(10**18), 10**18)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 3), (-5, 2, -3), (5, -2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0), (1, 2, 1), (149, 100, 1), (7, 1, 7)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert rounding.half_up(numerator, denominator) == expected


@given(AMOUNTS, st.integers(1, 10**6))
def test_half_up_agrees_with_the_decimal_module(numerator: int, denominator: int) -> None:
    # A terminating denominator keeps the reference exact.
    exact = Decimal(numerator * denominator) / Decimal(10**3)
    expected = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    assert rounding.half_up(numerator * denominator, 10**3) == expected


@given(AMOUNTS, st.integers(1, 10**9))
def test_rounding_moves_by_at_most_a_half(numerator: int, denominator: int) -> None:
    distance = abs(Fraction(numerator, denominator) - rounding.half_up(numerator, denominator))
    assert distance <= Fraction(1, 2)
    assert rounding.half_up_exact(Fraction(numerator, denominator)) == rounding.half_up(numerator, denominator)


def test_a_denominator_of_zero_is_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        rounding.half_up(1, 0)


@pytest.mark.parametrize(
    ("amount_minor", "rate_ppm", "expected"),
    [(370_283, 60_000, 22_217), (145_440, 60_000, 8_726), (360_800, 10_000, 3_608), (367_075, 40_000, 14_683)],
)
def test_a_share_is_rounded_once(amount_minor: int, rate_ppm: int, expected: int) -> None:
    assert rounding.share(amount_minor, rate_ppm) == expected


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any))
def test_split_parts_sum_to_the_whole_and_stay_near_their_exact_share(total: int, weights: list[int]) -> None:
    parts = rounding.largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(AMOUNTS, st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any))
def test_a_split_agrees_with_handing_out_one_by_one(total: int, weights: list[int]) -> None:
    sign, size = (1, total) if total >= 0 else (-1, -total)
    exact = [Fraction(size * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in exact]
    while sum(parts) < size:
        lacking = [share - part for share, part in zip(exact, parts, strict=True)]
        parts[lacking.index(max(lacking))] += 1
    assert rounding.largest_remainder(total, weights) == tuple(sign * part for part in parts)


def test_equal_remainders_go_to_the_earlier_position() -> None:
    assert rounding.largest_remainder(100, [1, 1, 1]) == (34, 33, 33)
    assert rounding.largest_remainder(-100, [1, 1, 1]) == (-34, -33, -33)


def test_nothing_can_be_split_over_nothing() -> None:
    assert rounding.largest_remainder(0, []) == ()
    assert rounding.largest_remainder(0, [0, 0]) == (0, 0)
    with pytest.raises(ValueError, match="cannot split 5"):
        rounding.largest_remainder(5, [0, 0])
    with pytest.raises(ValueError, match="negative"):
        rounding.largest_remainder(5, [1, -1])
