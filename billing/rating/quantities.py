"""Exact quantities as decimals of the database, and their printed form."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from catalog.measures.rounding import half_up_exact

DECIMALS: Final = 9  # of stored quantities
LARGEST: Final = Decimal(10) ** 29  # what a column of 38 digits, nine of them decimals, has no room for


def exact_decimal(value: Fraction) -> Decimal:
    """Return a value that has at most nine decimals, untouched by any context's precision."""
    scaled = value * 10**DECIMALS
    assert scaled.denominator == 1, value
    return _billionths(scaled.numerator)


def exact_text(value: Fraction) -> str:
    """Spell a value that has at most nine decimals, with all nine of them."""
    billionths, rest = divmod(abs(value.numerator) * 10**DECIMALS, value.denominator)
    assert not rest, value
    whole, decimals = divmod(billionths, 10**DECIMALS)
    return f"{'-' if value.numerator < 0 else ''}{whole}.{decimals:09d}"


def printed_decimal(value: Fraction) -> Decimal:
    """Return a value to nine decimals, for print: a third of an hour has no exact decimal."""
    return _billionths(half_up_exact(value * 10**DECIMALS))


def _billionths(count: int) -> Decimal:
    return Decimal((int(count < 0), tuple(int(digit) for digit in str(abs(count))), -DECIMALS))
