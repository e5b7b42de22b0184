"""Amounts of money: integer minor units of an ISO 4217 currency."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from catalog.measures.errors import MeasureError

# Decimals of the currencies that the exchange can keep books in (ISO 4217 minor units).
EXPONENTS: Final = {
    "AUD": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "MOP": 2,
    "SGD": 2,
    "USD": 2,
}
MAX_MINOR: Final = 2**63 - 1  # what a bigint column holds

# ASCII digits on purpose: `\d` also matches full-width and Arabic-Indic digits. The length is bounded
# before int() sees the text.
_AMOUNT = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,6}))?", re.ASCII)


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency's major unit; MeasureError when it is not one of ours."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise MeasureError(f"unknown currency {currency!r}; expected one of {', '.join(EXPONENTS)}") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units; sums and differences refuse to mix currencies."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    def __add__(self, other: Self) -> "Money":
        return Money(self.amount_minor + self._same_currency(other).amount_minor, self.currency)

    def __sub__(self, other: Self) -> "Money":
        return Money(self.amount_minor - self._same_currency(other).amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __str__(self) -> str:
        return f"{format_minor(self.amount_minor, self.currency)} {self.currency}"

    def _same_currency(self, other: Self) -> Self:
        if other.currency != self.currency:
            raise MeasureError(f"cannot combine {self.currency} with {other.currency}: no implicit conversion")
        return other


def format_minor(amount_minor: int, currency: str) -> str:
    """Spell an amount in major units with the currency's decimals: 1200 CNY is "12.00"."""
    decimals = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    major, minor = divmod(abs(amount_minor), 10**decimals)
    return f"{sign}{major}.{minor:0{decimals}d}" if decimals else f"{sign}{major}"


def parse_minor(text: str, currency: str) -> int:
    """Read an amount in major units, plain ASCII such as "12", "12.5" or "-0.05".

    Raises MeasureError for any other spelling (no sign "+", exponent, grouping, blanks or "-0"),
    for more decimals than the currency has and for what a bigint cannot hold.
    """
    decimals = exponent(currency)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise MeasureError(f"expected an amount such as 12.00, got {text[:40]!r}")
    sign, major, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > decimals:
        raise MeasureError(f"expected at most {decimals} decimals for {currency}, got {text[:40]!r}")
    amount_minor = int(major + fraction.ljust(decimals, "0"))
    if amount_minor > MAX_MINOR:
        raise MeasureError(f"expected an amount below {format_minor(MAX_MINOR, currency)}, got {text[:40]!r}")
    if sign and amount_minor == 0:
        raise MeasureError(f"expected an amount without a negative zero, got {text[:40]!r}")
    return -amount_minor if sign else amount_minor


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in major units as minor units; MeasureError when the currency has no coins so small."""
    text = f"{amount:f}"
    return parse_minor(text.rstrip("0").removesuffix(".") if "." in text else text, currency)
