"""Strict readers: what a person or program may write for a number, a time, a text."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.foundation import strict
from accounts.foundation.strict import Mismatch

_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z", re.ASCII)

LOOKS_LIKE_A_NUMBER = st.one_of(
    st.from_regex(r"\A[-+]?[0-9_]{0,5}(\.[0-9_]{0,5})?([eE][-+]?[0-9])?\Z"),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.text(alphabet="0123456789.-+eE_ ١２", max_size=8),
)


def _reference(text: str, digits: int, places: int) -> Decimal | None:
    """Say slowly and plainly whether a text is an acceptable decimal."""
    if not _DIGITS.match(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > places or len(whole) > digits - places or (len(whole) > 1 and whole[0] == "0"):
        return None
    if number == 0 and text.startswith("-"):
        return None
    return number


@given(text=LOOKS_LIKE_A_NUMBER)
def test_a_decimal_is_read_exactly_when_it_is_written_plainly(text: str) -> None:
    expected = _reference(text, 6, 2)

    if expected is None:
        with pytest.raises(Mismatch):
            strict.decimal(text, max_digits=6, decimal_places=2)
    else:
        assert strict.decimal(text, max_digits=6, decimal_places=2) == expected


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e3", "1_000", "１２", "١٢", " 5 ", "5 ", "-0", "-0.00", "+5", "05", ".5", "5.",
     "", "5\n", "5\x00", "0x10", 5, 5.0, True, None, [], {}],
)  # fmt: skip
def test_what_is_no_plain_decimal_is_refused_with_the_value_and_the_expectation(value: object) -> None:
    with pytest.raises(Mismatch, match=r"was given; expected a decimal in a string"):
        strict.decimal(value, max_digits=12, decimal_places=2)


def test_a_decimal_keeps_its_bounds() -> None:
    limits = {"max_digits": 6, "decimal_places": 2, "minimum": Decimal("0.01"), "maximum": Decimal(100)}

    assert strict.decimal("0.01", **limits) == Decimal("0.01")  # type: ignore[arg-type]
    assert strict.decimal("100.00", **limits) == 100  # type: ignore[arg-type]
    for text in ("0", "100.01", "-1", "0.001"):
        with pytest.raises(Mismatch):
            strict.decimal(text, **limits)  # type: ignore[arg-type]


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_whole_numbers_in_bounds_pass_unchanged(number: int) -> None:
    assert strict.integer(number, minimum=-(2**63), maximum=2**63 - 1) == number
    assert strict.integer_text(str(number), minimum=-(2**63), maximum=2**63 - 1) == number


@pytest.mark.parametrize("value", [0, 11, 10**30, True, 5.0, "5", None, Decimal(5)])
def test_what_is_no_whole_number_in_bounds_is_refused(value: object) -> None:
    with pytest.raises(Mismatch, match="expected a whole number from 1 to 10"):
        strict.integer(value, minimum=1, maximum=10)


@pytest.mark.parametrize("value", ["0", "11", "1" * 5000, "05", "5.0", " 5", "５", "-0", "", None, 5])
def test_text_that_is_no_whole_number_in_bounds_is_refused(value: object) -> None:
    with pytest.raises(Mismatch):
        strict.integer_text(value, minimum=1, maximum=10)


@given(
    st.datetimes(min_value=datetime(2020, 1, 2), max_value=datetime(2099, 12, 30)),  # noqa: DTZ001
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_an_instant_is_read_as_utc_whatever_its_offset(moment: datetime, offset_minutes: int) -> None:
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    text = f"{moment.isoformat()}{sign}{hours:02}:{minutes:02}"

    expected = moment.replace(tzinfo=UTC) - timedelta(minutes=offset_minutes)
    assert strict.instant(text) == expected
    assert strict.instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    ["2026-05-01T08:00:00", "2026-05-01", "2019-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00",
     "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "2026-05-01T25:00:00Z", "2026-05-01 08:00:00Z",
     "２026-05-01T08:00:00Z", "2026-05-01T08:00:00+99:99", "infinity", "now", "", 1777600000, None,
     "2026-05-01T08:00:00.1234567Z", "2026-W18-5T08:00:00Z", "20260501T080000Z"],
)  # fmt: skip
def test_a_time_without_offset_or_outside_the_century_is_refused(value: object) -> None:
    with pytest.raises(Mismatch):
        strict.instant(value)


@pytest.mark.parametrize(
    "value", ["a\x00b", "\ud800", "a\u202e".replace("\u202e", "\x85"), "", "   ", "x" * 11, 5, None, "a\nb"]
)
def test_text_with_control_characters_or_of_wrong_length_is_refused(value: object) -> None:
    with pytest.raises(Mismatch):
        strict.text(value, max_length=10)


@pytest.mark.parametrize("value", ["北辰智算", "O'Neill; DROP", "<b>", "emoji 🙂", "Z͑ͫ̓ͪ"])
def test_other_text_is_kept_as_it_is(value: str) -> None:
    assert strict.text(value, max_length=30) == value


@pytest.mark.parametrize("value", ["2026-5-1", "2026-02-30", "2019-12-31", "2100-01-01", "", None, 20260501])
def test_what_is_no_date_of_the_century_is_refused(value: object) -> None:
    with pytest.raises(Mismatch):
        strict.calendar_date(value)
