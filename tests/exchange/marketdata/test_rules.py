"""The index as published: volume-weighted, thin days carried, nothing after a week."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from exchange.marketdata import rules
from exchange.marketdata.rules import Basis, DayVolume

DAY = timedelta(days=1)
FIRST = date(2026, 5, 1)
FULL = DayVolume("ascend-910b3", "cn-n", FIRST, value_micros=30_000_000, unit_hours=3, trades=3, buyers=2, providers=2)


def days_of(volumes: list[DayVolume], *, last: date) -> list[tuple[date, int, Basis]]:
    return [(day.day, day.price_micros, day.basis) for day in rules.index(volumes, first=FIRST, last=last)]


def test_a_day_is_the_average_of_its_hours_by_volume_rounded_half_up_once() -> None:
    # The story's day: 192 unit-hours at 9.00 and 336 at 10.00.
    volume = replace(FULL, value_micros=192 * 9_000_000 + 336 * 10_000_000, unit_hours=528)
    assert days_of([volume], last=FIRST) == [(FIRST, 9_636_364, Basis.TRADED)]
    assert rules.average(5, 2) == 3
    assert rules.average(0, 0) == 0


def test_a_thin_day_and_a_day_without_trades_carry_the_last_full_value_for_a_week() -> None:
    thin = replace(FULL, day=FIRST + DAY, value_micros=99_000_000, trades=2)
    found = days_of([FULL, thin], last=FIRST + 20 * DAY)
    assert found[0] == (FIRST, 10_000_000, Basis.TRADED)
    assert found[1:] == [(FIRST + n * DAY, 10_000_000, Basis.CARRIED) for n in range(1, 8)]


def test_thin_is_few_trades_or_few_parties_on_either_side() -> None:
    assert not FULL.is_thin
    assert replace(FULL, trades=rules.MIN_TRADES - 1).is_thin
    assert replace(FULL, buyers=rules.MIN_PARTIES - 1).is_thin
    assert replace(FULL, providers=rules.MIN_PARTIES - 1).is_thin


def test_a_value_from_before_the_window_is_carried_into_it() -> None:
    before = replace(FULL, day=FIRST - 3 * DAY)
    found = rules.index([before], first=FIRST, last=FIRST + 9 * DAY)
    assert [day.day for day in found] == [FIRST + n * DAY for n in range(5)]
    assert {(day.basis, day.value_of, day.unit_hours) for day in found} == {(Basis.CARRIED, before.day, 0)}


def test_kinds_and_hubs_have_series_of_their_own() -> None:
    other = replace(FULL, hub="cn-s", value_micros=60_000_000)
    assert [(day.hub, day.price_micros) for day in rules.index([other, FULL], first=FIRST, last=FIRST)] == [
        ("cn-n", 10_000_000),
        ("cn-s", 20_000_000),
    ]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), min_size=1, max_size=20))
def test_the_average_lies_between_the_prices_and_is_nearest_to_the_exact_one(hours: list[tuple[int, int]]) -> None:
    value = sum(price * units for price, units in hours)
    units = sum(units for _, units in hours)
    found = rules.average(value, units)
    assert min(price for price, _ in hours) <= found <= max(price for price, _ in hours)
    assert abs(found - Fraction(value, units)) <= Fraction(1, 2)


@given(
    st.none() | st.integers(-200, 200),
    st.none() | st.integers(-200, 200),
)
def test_a_window_is_whole_and_bounded_or_has_a_problem(start: int | None, end: int | None) -> None:
    now = datetime(2026, 5, 1, 12, 34, 56, tzinfo=UTC)
    asked = rules.window(
        None if start is None else now + start * DAY, None if end is None else now + end * DAY, now=now
    )
    if not list(rules.window_problems(asked)):
        assert timedelta(0) < asked.ends_at - asked.starts_at <= rules.LONGEST
    elif None in {start, end}:
        raise AssertionError("what the house fills in is never wrong")
