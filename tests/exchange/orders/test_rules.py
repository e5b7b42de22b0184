"""What an order may say and cost, beside slow obvious references."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.needs import Needs
from exchange.orders import rules
from exchange.orders.errors import OrderMoveRefused
from exchange.orders.rules import OrderKind, OrderStatus, OrderTerms, Rates
from tests.exchange.cast import GATE, HOUR, TERMS, D, micros, yuan

RATES = Rates(fee_version=1, buyer_fee_ppm=10_000, tax_rate_ppm=60_000)
BLOCK = OrderTerms(
    quantity_max=16,
    quantity_min=16,
    hours=24,
    earliest_at=D,
    latest_at=D + 24 * HOUR,
    needs=Needs(min_memory_gb=64),
    limit_micros=micros("12.50"),
)
HOURLY = replace(BLOCK, quantity_min=None, hours=None)


@pytest.mark.parametrize(
    ("unit_hours", "limit", "hold"),
    [
        (16 * 24, "12.50", "5138.88"),  # B1: 4,800.00 + 48.00 + 290.88
        (12 * 12, "11.00", "1695.83"),  # B2: 1,584.00 + 15.84 + 95.99
        (8 * 12, "9.00", "925.00"),  # B3: 864.00 + 8.64 + 52.36
    ],
)
def test_the_holds_of_the_story(unit_hours: int, limit: str, hold: str) -> None:
    assert rules.worst_case_minor(unit_hours, micros(limit), RATES, currency="CNY") == yuan(hold)


def test_an_hourly_order_may_take_every_hour_of_its_window() -> None:
    assert HOURLY.unit_hours == 16 * 24
    assert replace(BLOCK, hours=4).unit_hours == 16 * 4


def slow_largest(terms: OrderTerms, within_minor: int, lot_units: int) -> int:
    """Try every quantity of whole lots."""
    fitting = [0]
    for quantity in range(lot_units, terms.quantity_max + 1, lot_units):
        smaller = replace(terms, quantity_max=quantity)
        if rules.requirement_minor(smaller, RATES, currency="CNY") <= within_minor:
            fitting.append(quantity)
    return max(fitting)


@given(
    lots=st.integers(1, 40),
    lot_units=st.integers(1, 8),
    limit=st.integers(1, 5000),
    hours=st.integers(1, 24),
    extras=st.integers(0, 500),
    within=st.integers(-100, 100_000),
)
def test_the_largest_quantity_is_the_last_that_fits(
    lots: int, lot_units: int, limit: int, hours: int, extras: int, within: int
) -> None:
    terms = replace(
        BLOCK,
        quantity_max=lots * lot_units,
        hours=hours,
        limit_micros=limit * 10_000,
        extras_reserve_minor=extras,
    )
    found = rules.largest_quantity(terms, RATES, within_minor=within, lot_units=lot_units, currency="CNY")
    assert found == slow_largest(terms, within, lot_units)


@given(unit_hours=st.integers(0, 10**9), limit=st.integers(0, 10**9))
def test_more_hours_or_a_higher_limit_never_cost_less(unit_hours: int, limit: int) -> None:
    grid = [(unit_hours, limit), (unit_hours + 1, limit), (unit_hours + 1, limit + 10_000)]
    costs = [rules.worst_case_minor(hours, price, RATES, currency="CNY") for hours, price in grid]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("kind", "terms", "pointers"),
    [
        (OrderKind.BLOCK, BLOCK, []),
        (OrderKind.HOURLY, HOURLY, []),
        (OrderKind.BLOCK, replace(BLOCK, quantity_min=None), ["/min_quantity"]),
        (OrderKind.BLOCK, replace(BLOCK, quantity_min=17), ["/min_quantity"]),
        (OrderKind.BLOCK, replace(BLOCK, quantity_min=0), ["/min_quantity"]),
        (OrderKind.BLOCK, replace(BLOCK, hours=None), ["/hours"]),
        (OrderKind.BLOCK, replace(BLOCK, hours=0), ["/hours"]),
        (OrderKind.BLOCK, replace(BLOCK, hours=25), ["/hours"]),
        (OrderKind.HOURLY, BLOCK, ["/min_quantity", "/hours"]),
        (OrderKind.BLOCK, replace(BLOCK, limit_micros=0), ["/limit_price"]),
        (OrderKind.BLOCK, replace(BLOCK, limit_micros=micros("100.01")), ["/limit_price"]),
        (OrderKind.BLOCK, replace(BLOCK, latest_at=D), ["/latest_at"]),
        (OrderKind.BLOCK, replace(BLOCK, earliest_at=D + timedelta(minutes=1), hours=1), ["/earliest_at"]),
        (OrderKind.BLOCK, replace(BLOCK, budget_minor=0), ["/budget"]),
        (OrderKind.BLOCK, replace(BLOCK, extras_reserve_minor=-1), ["/extras_reserve"]),
        (OrderKind.BLOCK, replace(BLOCK, extras_reserve_minor=10**16), ["/extras_reserve"]),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_was_expected(
    kind: OrderKind, terms: OrderTerms, pointers: list[str]
) -> None:
    problems = list(rules.terms_problems(TERMS, kind, terms))
    assert [problem.pointer for problem in problems] == pointers
    assert all("expected" in problem.detail and "got" in problem.detail for problem in problems)


def test_an_old_edge_of_a_window_may_have_passed_but_a_new_one_may_not() -> None:
    past = replace(BLOCK, earliest_at=GATE - 5 * HOUR)
    assert list(rules.new_edge_problems(TERMS, past, replace(past, limit_micros=1), gate_at=GATE)) == []
    earlier = replace(past, earliest_at=GATE - 6 * HOUR)
    assert [problem.pointer for problem in rules.new_edge_problems(TERMS, past, earlier, gate_at=GATE)] == [
        "/earliest_at"
    ]


def test_only_a_higher_limit_and_private_matters_keep_the_place() -> None:
    kept = [
        replace(BLOCK, limit_micros=micros("13.00")),
        replace(BLOCK, budget_minor=yuan("9000.00")),
        replace(BLOCK, rolls_over=True),
        replace(BLOCK, extras_reserve_minor=500),
    ]
    assert all(rules.keeps_place(BLOCK, after) for after in kept)
    lost = [
        replace(BLOCK, limit_micros=micros("12.00")),
        replace(BLOCK, quantity_max=17),
        replace(BLOCK, quantity_max=15, quantity_min=15),
        replace(BLOCK, latest_at=D + 25 * HOUR),
        replace(BLOCK, needs=Needs()),
    ]
    assert not any(rules.keeps_place(BLOCK, after) for after in lost)


def test_changes_for_the_better_lower_and_withdraw_nothing() -> None:
    better = [
        replace(BLOCK, limit_micros=micros("13.00")),
        replace(BLOCK, quantity_max=20),
        replace(BLOCK, quantity_min=8),
        replace(BLOCK, latest_at=D + 25 * HOUR),
    ]
    assert all(rules.is_improvement(BLOCK, after) for after in better)
    worse = [
        replace(BLOCK, limit_micros=micros("12.49")),
        replace(BLOCK, quantity_max=15, quantity_min=8),
        replace(BLOCK, earliest_at=D + HOUR, hours=23),
        replace(BLOCK, needs=Needs()),
    ]
    assert not any(rules.is_improvement(BLOCK, after) for after in worse)


@given(total=st.integers(1, 100), data=st.data())
def test_an_order_goes_on_exactly_while_hours_are_open(total: int, data: st.DataObject) -> None:
    filled = data.draw(st.integers(0, total))
    open_ = data.draw(st.integers(0, total - filled))
    status = rules.status_after_round(total=total, filled=filled, open_=open_)
    assert (status is OrderStatus.OPEN) == (open_ > 0)
    if not open_:
        expected = {0: OrderStatus.UNFILLED, total: OrderStatus.FILLED}.get(filled, OrderStatus.PARTLY_FILLED)
        assert status is expected


def test_nothing_leaves_a_final_status() -> None:
    final = [status for status in OrderStatus if not rules.MOVES[status]]
    assert {status.value for status in OrderStatus} - {status.value for status in final} == set(rules.LIVE)
    for status in final:
        with pytest.raises(OrderMoveRefused):
            rules.check_move(status, OrderStatus.CANCELLED)


def test_the_moves_lead_from_open_over_a_gate_and_back() -> None:
    path = [OrderStatus.OPEN, OrderStatus.LOCKED, OrderStatus.OPEN, OrderStatus.LOCKED, OrderStatus.FILLED]
    for before, after in pairwise(path):
        rules.check_move(before, after)
