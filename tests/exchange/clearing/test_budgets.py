"""Budgets that bind: what a buyer cannot pay is given up lot by lot, and nobody else loses by it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import tiny
from exchange.clearing import budgets, engine, model, parsing, prices
from exchange.clearing.allocation import Divider
from exchange.clearing.limits import DEFAULT
from tests.exchange.clearing.cast import cell, hourly, offer


def test_a_buyer_just_over_budget_keeps_what_the_budget_pays() -> None:
    # At 3 a lot the budget of 20 buys 6 of 10 lots. No price is strict: unmet at 100, beside cards to spare at 3.
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("cheap", qty=5, reserve=1), offer("dear", seq=2, qty=15, reserve=3)],
        orders=[hourly("capped", limit=100, qty=10), hourly("free", seq=11, limit=50, qty=5, buyer="v")],
        budgets={"u": 20},
    )
    result = engine.clear(book, limits=replace(DEFAULT, divisible=False, exact_binaries=0))

    assert result.outcome.welfare == 6 * 100 + 5 * 50 - 5 * 1 - 6 * 3
    assert [violation.code for violation in result.residuals] == ["PR_BUY"]


@given(st.integers(0, 10**6))
def test_what_can_be_paid_is_legal_and_never_more_than_before(seed: int) -> None:
    market = model.build(tiny.book("budgets", seed), slotwise=True)
    found = Divider(market).complete(())
    while (assessment := prices.assess(market, found)).over_budget_at_pi_min:
        before, found = found, budgets.affordable(market, found, assessment)
        assert all(0 < lots <= before.fills[key] for key, lots in found.fills.items())
        assert found != before

    assert prices.assess(market, found).is_legal
