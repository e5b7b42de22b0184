"""Amounts in minor units."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.measures import money
from catalog.measures.errors import MeasureError
from catalog.measures.money import Money


@pytest.mark.parametrize(
    ("amount_minor", "currency", "spelled"),
    [(1200, "CNY", "12.00"), (-5, "CNY", "-0.05"), (0, "USD", "0.00"), (12, "JPY", "12"), (-1, "KWD", "-0.001")],
)
def test_amounts_are_spelled_with_the_decimals_of_their_currency(
    amount_minor: int, currency: str, spelled: str
) -> None:
    assert money.format_minor(amount_minor, currency) == spelled
    assert money.parse_minor(spelled, currency) == amount_minor


@given(st.integers(-money.MAX_MINOR, money.MAX_MINOR), st.sampled_from(sorted(money.EXPONENTS)))
def test_every_amount_survives_the_round_trip(amount_minor: int, currency: str) -> None:
    assert money.parse_minor(money.format_minor(amount_minor, currency), currency) == amount_minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 5",
        "5 ",
        "+5",
        "1e3",
        "1_000",
        "1,5",
        "12.",
        ".5",
        "-0",
        "-0.00",
        "NaN",
        "Infinity",
        "１２",
        "0x10",
        "1.234",
        "9" * 40,
        "92233720368547758.08",
        "5\n",
        "5\x00",
    ],
)
def test_other_spellings_are_refused_with_the_value_seen(text: str) -> None:
    with pytest.raises(MeasureError, match="expected"):
        money.parse_minor(text, "CNY")


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(MeasureError, match="'XXX'"):
        money.exponent("XXX")
    with pytest.raises(MeasureError):
        Money(1, "cny")


def test_sums_refuse_to_mix_currencies() -> None:
    assert Money(100, "CNY") + Money(50, "CNY") - Money(25, "CNY") == Money(125, "CNY")
    assert str(-Money(100, "CNY")) == "-1.00 CNY"
    with pytest.raises(MeasureError, match="CNY with USD"):
        Money(1, "CNY") + Money(1, "USD")


@given(st.integers(-money.MAX_MINOR, money.MAX_MINOR), st.sampled_from(sorted(money.EXPONENTS)), st.integers(0, 4))
def test_a_typed_decimal_is_exactly_its_coins_however_many_zeros_end_it(amount: int, currency: str, zeros: int) -> None:
    digits = money.exponent(currency)
    typed = Decimal(amount).scaleb(-digits).quantize(Decimal(1).scaleb(-digits - zeros), context=Context(prec=40))
    assert money.to_minor(typed, currency) == amount


@pytest.mark.parametrize(("typed", "currency"), [("0.015", "CNY"), ("1.5", "JPY"), ("0.4", "KRW"), ("0.0005", "KWD")])
def test_what_is_less_than_a_coin_is_refused_and_not_rounded(typed: str, currency: str) -> None:
    with pytest.raises(MeasureError, match="decimals"):
        money.to_minor(Decimal(typed), currency)
