"""Rounding half up."""

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
