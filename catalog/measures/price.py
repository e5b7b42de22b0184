"""Prices: integer micros (1e-6) of the currency per base quantity of a unit."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

from catalog.measures.errors import MeasureError
from catalog.measures.money import exponent
from catalog.measures.rounding import half_up_exact

MICROS: Final = 1_000_000
MAX_PRICE_MICROS: Final = 10**15  # a thousand million a unit: far above any price, far below a bigint

_PRICE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)


def exact_amount(
    quantity: int | Fraction | Decimal,
    price_micros: int,
    *,
    base_quantity: int = 1,
    currency: str = "CNY",
) -> Fraction:
    """Return quantity x price in minor units, exactly.

    minor = quantity x price_micros x 10^exponent / (10^6 x base_quantity): 8 card-hours at 12.00 CNY are
    9600; 1,234,567 tokens at 0.80 CNY per million are 98.76536.
    """
    if base_quantity <= 0:
        raise MeasureError(f"expected a base quantity above 0, got {base_quantity}")
    if isinstance(quantity, Decimal) and not quantity.is_finite():
        raise MeasureError(f"expected a finite quantity, got {quantity}")
    minor_per_unit: int = 10 ** exponent(currency)
    return Fraction(quantity) * (price_micros * minor_per_unit) / (MICROS * base_quantity)


def amount_minor(
    quantity: int | Fraction | Decimal,
    price_micros: int,
    *,
    base_quantity: int = 1,
    currency: str = "CNY",
) -> int:
    """Return quantity x price in minor units with the one rounding that an invoice line gets."""
    return half_up_exact(exact_amount(quantity, price_micros, base_quantity=base_quantity, currency=currency))


def parse_price_micros(text: str) -> int:
    """Read a price such as "9.00" (at most 6 decimals, never negative) as integer micros."""
    match = _PRICE.fullmatch(text)
    if match is None:
        raise MeasureError(f"expected a price such as 9.00 with at most 6 decimals, got {text[:40]!r}")
    price_micros = int(match[1] + (match[2] or "").ljust(6, "0"))
    if price_micros > MAX_PRICE_MICROS:
        raise MeasureError(f"expected a price of at most {format_micros(MAX_PRICE_MICROS)}, got {text[:40]!r}")
    return price_micros


def format_micros(price_micros: int, *, decimals: int = 2) -> str:
    """Spell a price with `decimals` decimals, more (up to 6) where the value needs them: 9_500 is "0.0095"."""
    sign = "-" if price_micros < 0 else ""
    major, micros = divmod(abs(price_micros), MICROS)
    fraction = f"{micros:06d}"
    fraction = fraction[:decimals] + fraction[decimals:].rstrip("0")
    return f"{sign}{major}.{fraction}" if fraction else f"{sign}{major}"
