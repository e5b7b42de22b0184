"""Time, price and quantity in a market, each beside a slow obvious reference."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.markets import rules
from exchange.markets.rules import MarketSpec
from tests.exchange.cast import GATE, HOUR, NOW, TERMS, D

INSTANTS = st.integers(-(10**14), 10**14).map(lambda microseconds: NOW + timedelta(microseconds=microseconds))
GRIDS = st.sampled_from(rules.GRID_STEPS)


def with_grid(step: int) -> rules.MarketTerms:
    return replace(TERMS, grid_slots=step)


def test_slot_zero_is_local_midnight_of_the_epoch() -> None:
    assert TERMS.slot_zero == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert rules.slot_at(TERMS, TERMS.slot_zero) == 0
    assert rules.slot_at(TERMS, TERMS.slot_zero - timedelta(microseconds=1)) == -1


def test_slots_count_absolute_hours_through_a_change_of_the_clock() -> None:
    berlin = replace(TERMS, timezone="Europe/Berlin", epoch=date(2026, 3, 28))
    midnights = [datetime(2026, 3, day, tzinfo=ZoneInfo("Europe/Berlin")) for day in (28, 29, 30)]
    # The 29th has 23 hours; no slot is skipped or counted twice.
    assert [rules.slot_at(berlin, midnight) for midnight in midnights] == [0, 24, 47]
    assert rules.instant_of(berlin, 26) - rules.instant_of(berlin, 25) == HOUR


@given(instant=INSTANTS)
def test_an_instant_lies_in_its_slot(instant: datetime) -> None:
    start = rules.instant_of(TERMS, rules.slot_at(TERMS, instant))
    assert start <= instant < start + HOUR


@given(slot=st.integers(-50_000, 50_000))
def test_a_slot_starts_where_it_is_found(slot: int) -> None:
    assert rules.slot_at(TERMS, rules.instant_of(TERMS, slot)) == slot


@given(instant=INSTANTS, step=GRIDS)
def test_the_grid_encloses_every_instant(instant: datetime, step: int) -> None:
    terms = with_grid(step)
    floor, ceiling = rules.grid_floor(terms, instant), rules.grid_ceiling(terms, instant)
    assert rules.is_on_grid(terms, floor)
    assert rules.is_on_grid(terms, ceiling)
    assert floor <= instant <= ceiling
    assert ceiling - floor == (timedelta() if rules.is_on_grid(terms, instant) else terms.grid)


@given(day=st.integers(-500, 500))
def test_a_grid_of_24_hours_is_local_days(day: int) -> None:
    terms = with_grid(24)
    local = rules.instant_of(terms, 24 * day).astimezone(ZoneInfo("Asia/Shanghai"))
    assert (local.hour, local.minute) == (0, 0)
    assert local.date() == terms.epoch + timedelta(days=day)


def slow_next_gate(terms: rules.MarketTerms, after: datetime) -> datetime:
    """Walk along the schedule from a gate that is surely before."""
    interval = timedelta(seconds=terms.gate_interval_seconds)
    gate = terms.slot_zero + timedelta(seconds=terms.gate_offset_seconds)
    while gate > after:
        gate -= interval
    while gate <= after:
        gate += interval
    return gate


@given(
    minutes=st.integers(-3000, 3000),
    microseconds=st.sampled_from([0, 1, 59_999_999]),
    interval=st.sampled_from([60, 300, 900, 3600, 14_400, 86_400]),
    offset=st.integers(0, 59),
)
def test_the_next_gate_is_the_first_of_the_schedule_after_the_instant(
    minutes: int, microseconds: int, interval: int, offset: int
) -> None:
    terms = replace(TERMS, gate_interval_seconds=interval, gate_offset_seconds=offset, no_cancel_seconds=0)
    after = terms.slot_zero + timedelta(minutes=minutes, microseconds=microseconds)
    gate = rules.next_gate(terms, after)
    assert gate == slow_next_gate(terms, after)


def test_what_comes_at_a_gate_waits_for_the_next_one() -> None:
    assert rules.next_gate(TERMS, GATE - timedelta(microseconds=1)) == GATE
    assert rules.next_gate(TERMS, GATE) == GATE + timedelta(days=1)
    assert rules.next_gate(TERMS, NOW) == GATE


def test_the_no_cancel_phase_begins_ten_minutes_before_the_gate() -> None:
    deadline = GATE - timedelta(minutes=10)
    assert rules.cancel_deadline(TERMS, GATE) == deadline
    assert not rules.in_no_cancel_phase(TERMS, deadline - timedelta(microseconds=1), gate_at=GATE)
    assert rules.in_no_cancel_phase(TERMS, deadline, gate_at=GATE)


@given(gate=INSTANTS, step=GRIDS, lead=st.integers(0, 90_000))
def test_the_horizon_is_the_longest_stretch_of_the_grid_after_the_lead_time(
    gate: datetime, step: int, lead: int
) -> None:
    terms = replace(TERMS, grid_slots=step, lead_seconds=lead)
    reach = rules.horizon(terms, gate)
    ready, end = gate + timedelta(seconds=lead), gate + timedelta(hours=terms.horizon_hours)
    assert rules.is_on_grid(terms, reach.first_at)
    assert rules.is_on_grid(terms, reach.last_at)
    assert reach.first_at - terms.grid < ready <= reach.first_at
    assert reach.last_at <= end < reach.last_at + terms.grid


@pytest.mark.parametrize(
    ("price_micros", "said"),
    [
        (12_500_000, None),
        (0, None),
        (100_000_000, None),
        (100_010_000, "expected a price from 0.00 to 100.00 CNY, got 100.01"),
        (-10_000, "expected a price from 0.00 to 100.00 CNY, got -0.01"),
        (12_505_000, "expected a multiple of the tick 0.01 CNY, such as 12.50 or 12.51, got 12.505"),
    ],
)
def test_a_price_lies_in_the_collar_and_on_the_tick(price_micros: int, said: str | None) -> None:
    problems = list(rules.price_problems(TERMS, price_micros, pointer="/limit_price"))
    assert [(problem.pointer, problem.detail) for problem in problems] == ([("/limit_price", said)] if said else [])


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (8, None),
        (12, "expected a multiple of the lot of 8 units, got 12"),
        (0, "expected from 8 to 1000000 units, got 0"),
        (1_000_008, "expected from 8 to 1000000 units, got 1000008"),
    ],
)
def test_a_quantity_is_whole_lots(quantity: int, said: str | None) -> None:
    problems = list(rules.quantity_problems(replace(TERMS, lot_units=8), quantity, pointer="/quantity"))
    assert [problem.detail for problem in problems] == ([said] if said else [])


def test_a_window_off_the_grid_is_answered_with_the_neighbouring_times() -> None:
    late = D + timedelta(minutes=30)
    problems = list(rules.window_problems(TERMS, D, late, start="/earliest_at", end="/latest_at"))
    assert [(problem.pointer, problem.detail) for problem in problems] == [
        (
            "/latest_at",
            (
                "expected a time on the 1-hour grid of Asia/Shanghai, such as 2026-05-03T00:00+08:00 or "
                "2026-05-03T01:00+08:00, got 2026-05-03T00:30+08:00"
            ),
        )
    ]


def test_a_window_ends_after_it_starts_and_lies_in_our_time() -> None:
    backwards = list(rules.window_problems(TERMS, D, D, start="/earliest_at", end="/latest_at"))
    assert [problem.pointer for problem in backwards] == ["/latest_at"]
    ancient = datetime(2019, 1, 1, tzinfo=UTC)
    old = list(rules.window_problems(TERMS, ancient, D, start="/earliest_at", end="/latest_at"))
    assert [problem.detail for problem in old] == [
        "expected a time in the years 2020 to 2099, got 2019-01-01T08:00+08:00"
    ]


def test_a_window_must_be_reachable_from_its_gate() -> None:
    reach = rules.horizon(TERMS, GATE)
    within = rules.reach_problems(TERMS, reach.first_at, reach.last_at, gate_at=GATE, start="/a", end="/b")
    assert list(within) == []
    beyond = rules.reach_problems(TERMS, GATE, reach.last_at + HOUR, gate_at=GATE, start="/a", end="/b")
    early, late = list(beyond)
    assert early.pointer == "/a"
    assert "lead time of 30 minutes" in early.detail
    assert late.pointer == "/b"
    assert "horizon of 336 hours" in late.detail


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "XXX"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "Asia/Kolkata"),
        ("grid_slots", 5),
        ("lot_units", 0),
        ("tick_micros", 0),
        ("collar_max_micros", 0),
        ("gate_interval_seconds", 0),
        ("gate_offset_seconds", 86_400),
        ("no_cancel_seconds", 86_400),
        ("horizon_hours", 0),
    ],
)
def test_a_market_names_the_rule_that_cannot_be(field: str, value: Any) -> None:
    spec = MarketSpec("ai-cards", "AI cards", "ai_acceleration", "card_hours", replace(TERMS, **{field: value}))
    problems = list(rules.market_problems(spec))
    assert f"/{field}" in [problem.pointer for problem in problems]
    assert str(value) in problems[0].detail


def test_the_rules_of_the_story_are_sound() -> None:
    assert list(rules.market_problems(MarketSpec("ai-cards", "AI", "ai_acceleration", "card_hours", TERMS))) == []
