"""Prices in micros and the one rounding of a line."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.measures import price
from catalog.measures.errors import MeasureError


def test_eight_card_hours_at_12_00_are_96_00() -> None:
    assert price.amount_minor(8, 12_000_000) == 9600


def test_tokens_are_priced_by_the_million() -> None:
    assert price.exact_amount(1_234_567, 800_000, base_quantity=1_000_000) == Fraction("98.76536")
    assert price.amount_minor(1_234_567, 800_000, base_quantity=1_000_000) == 99


def test_egress_of_125_5_gb_at_0_50_is_62_75() -> None:
    assert price.amount_minor(Decimal("125.5"), 500_000) == 6275


def test_a_currency_without_decimals_rounds_to_its_unit() -> None:
    assert price.amount_minor(Fraction(1, 2), 3_000_000, currency="JPY") == 2


@given(st.integers(0, 10**12), st.integers(0, price.MAX_PRICE_MICROS), st.integers(1, 10**6))
def test_rounding_a_line_moves_it_by_at_most_half_a_unit(quantity: int, price_micros: int, base_quantity: int) -> None:
    exact = price.exact_amount(quantity, price_micros, base_quantity=base_quantity)
    rounded = price.amount_minor(quantity, price_micros, base_quantity=base_quantity)
    assert abs(exact - rounded) <= Fraction(1, 2)


@given(st.integers(0, price.MAX_PRICE_MICROS))
def test_every_price_survives_the_round_trip(price_micros: int) -> None:
    assert price.parse_price_micros(price.format_micros(price_micros)) == price_micros


@pytest.mark.parametrize(
    ("price_micros", "spelled"), [(9_000_000, "9.00"), (9_500, "0.0095"), (1, "0.000001"), (-500_000, "-0.50")]
)
def test_prices_show_two_decimals_and_more_where_needed(price_micros: int, spelled: str) -> None:
    assert price.format_micros(price_micros) == spelled
    assert price.format_micros(9_000_000, decimals=6) == "9.000000"
    assert price.format_micros(9_000_000, decimals=0) == "9"


@pytest.mark.parametrize(
    "text", ["-1", "1e2", "0.0000001", "", "1,5", "NaN", "１", "9999999999999", "1000000000.000001"]
)
def test_other_spellings_of_a_price_are_refused(text: str) -> None:
    with pytest.raises(MeasureError):
        price.parse_price_micros(text)


def test_a_quantity_that_is_no_number_or_a_base_of_zero_is_refused() -> None:
    with pytest.raises(MeasureError, match="finite"):
        price.exact_amount(Decimal("NaN"), 1)
    with pytest.raises(MeasureError, match="base quantity"):
        price.exact_amount(1, 1, base_quantity=0)
