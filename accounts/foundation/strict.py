"""Strict readers of plain values, shared by the API, HTML forms and imports.

Each returns the value in its inward type or raises Mismatch, whose text names the value seen
and what was expected. Nothing is guessed: only ASCII digits, no exponent, no surrounding
space, no "-0", no NUL, and every time names its offset.
"""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from accounts.foundation.errors import mismatch

EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)  # excluded

_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?\Z", re.ASCII)
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z",
    re.ASCII,
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)


class Mismatch(ValueError):
    """A value is not what was expected; the text of the error says both."""

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(mismatch(value, expected))
        self.expected = expected


def integer(value: object, *, minimum: int, maximum: int) -> int:
    """Return a whole number within bounds, both included; text is not accepted, see integer_text."""
    if type(value) is not int or not minimum <= value <= maximum:
        raise Mismatch(value, _whole_number(minimum, maximum))
    return value


def integer_text(value: object, *, minimum: int, maximum: int) -> int:
    """Return a whole number written in ASCII digits, within bounds, both included."""
    if not isinstance(value, str) or not _WHOLE.match(value) or value == "-0":
        raise Mismatch(value, _whole_number(minimum, maximum))
    if not minimum <= int(value) <= maximum:
        raise Mismatch(value, _whole_number(minimum, maximum))
    return int(value)


def decimal(
    value: object,
    *,
    max_digits: int,
    decimal_places: int,
    minimum: Decimal | None = None,
    maximum: Decimal | None = None,
) -> Decimal:
    """Return a plain decimal written as text, such as "12.50", within scale and bounds (included)."""
    shape = f'a decimal in a string with {_digits(max_digits, decimal_places)}, such as "12.50"'
    return _decimal(value, f"{shape}{_bounds(minimum, maximum)}", max_digits, decimal_places, minimum, maximum)


def decimal_text(
    value: object,
    *,
    max_digits: int,
    decimal_places: int,
    minimum: Decimal | None = None,
    maximum: Decimal | None = None,
) -> Decimal:
    """Return the same as `decimal`; what it expects is said to somebody who types, not to a program."""
    shape = f"a number with {_digits(max_digits, decimal_places)}, such as 12.50"
    return _decimal(value, f"{shape}{_bounds(minimum, maximum)}", max_digits, decimal_places, minimum, maximum)


def _decimal(
    value: object,
    expected: str,
    max_digits: int,
    decimal_places: int,
    minimum: Decimal | None,
    maximum: Decimal | None,
) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.match(value):
        raise Mismatch(value, expected)
    whole, _, fraction = value.lstrip("-").partition(".")
    if len(fraction) > decimal_places or len(whole) > max_digits - decimal_places:
        raise Mismatch(value, expected)
    number = Decimal(value)
    if (number.is_signed() and not number) or not _within(number, minimum, maximum):
        raise Mismatch(value, expected)
    return number


def text(value: object, *, max_length: int, min_length: int = 1, multiline: bool = False) -> str:
    """Return text of some characters (not bytes) without control characters or surrogates, unchanged."""
    expected = f"text of {min_length} to {max_length} printable characters"
    if not isinstance(value, str) or not min_length <= len(value) <= max_length:
        raise Mismatch(value, expected)
    # What Python calls printable has none of the refused characters; only the rest is looked at one by one.
    if not value.isprintable() and any(_is_control(character, multiline=multiline) for character in value):
        raise Mismatch(value, expected)
    if min_length and not value.strip():
        raise Mismatch(value, expected)
    return value


def instant(value: object) -> datetime:
    """Return an RFC 3339 date and time with an explicit offset as UTC; years 2020 to 2099."""
    expected = "a time with an offset between the years 2020 and 2100, such as 2026-05-01T08:00:00+08:00"
    if not isinstance(value, str) or not _INSTANT.match(value):
        raise Mismatch(value, expected)
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Mismatch(value, expected) from error
    if not EARLIEST <= moment < LATEST:
        raise Mismatch(value, expected)
    return moment


def calendar_date(value: object) -> date:
    """Return an ISO 8601 calendar date; years 2020 to 2099."""
    expected = "a date between the years 2020 and 2100, such as 2026-05-01"
    if not isinstance(value, str) or not _DATE.match(value):
        raise Mismatch(value, expected)
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Mismatch(value, expected) from error
    if not EARLIEST.date() <= day < LATEST.date():
        raise Mismatch(value, expected)
    return day


def _within(number: Decimal, minimum: Decimal | None, maximum: Decimal | None) -> bool:
    return (minimum is None or number >= minimum) and (maximum is None or number <= maximum)


def _is_control(character: str, *, multiline: bool) -> bool:
    if multiline and character in "\n\r\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"}


def _whole_number(minimum: int, maximum: int) -> str:
    return f"a whole number from {minimum} to {maximum}"


def _digits(max_digits: int, decimal_places: int) -> str:
    return f"at most {max_digits - decimal_places} digits before and {decimal_places} after the point"


def _bounds(minimum: Decimal | None, maximum: Decimal | None) -> str:
    least = "" if minimum is None else f", at least {minimum}"
    return least if maximum is None else f"{least}, at most {maximum}"
