"""Weak duality: whatever the prices, no allocation is worth more than the bound they prove."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import recipe, tiny
from benchmarks.books.dice import Dice
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing import certificate, engine, model
from tests.exchange.clearing.cast import paradox, story


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_any_prices_bound_the_best_allocation_of_all(family: str, seed: int) -> None:
    book, dice = tiny.book(family, seed), Dice(seed)
    try:
        best = Enumeration(book).best(Prices.FREE)
    except TooLarge:
        return
    market = model.build(book, slotwise=dice.chance(50))
    highest = max(order.limit for order in book.orders) + 1
    prices = {
        (cell, period): dice.below(highest)
        for cell in range(len(book.cells))
        for period in range(len(market.periods))
        if dice.chance(80)
    }

    assert best is not None
    assert certificate.upper_bound(market, prices) >= best


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_both_shipped_vectors_prove_what_they_claim(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    proof = engine.clear(book).certificate
    market = model.build(book, slotwise=True)
    places = {cell.id: place for place, cell in enumerate(book.cells)}
    for vector in (proof.settlement, proof.duals):
        prices = {
            (places[cell], period): run.price
            for cell, runs in vector.prices.items()
            for run in runs
            for period, span in enumerate(market.periods)
            if run.t0 <= span.t0 and span.t1 <= run.t1
        }
        assert certificate.upper_bound(market, prices) == vector.bound
    assert proof.bound == min(proof.settlement.bound, proof.duals.bound)


def test_the_bound_is_the_same_in_merged_periods_and_in_slots() -> None:
    book = recipe.book(recipe.Size(orders=40, offers=10, slots=48, grid=4), 1)
    merged, slotwise = model.build(book, slotwise=False), model.build(book, slotwise=True)
    assert len(merged.periods) * 4 == len(slotwise.periods)
    flat = {(cell, period): 900_000 for cell in range(len(book.cells)) for period in range(48)}

    assert certificate.upper_bound(merged, flat) == certificate.upper_bound(slotwise, flat)


@pytest.mark.parametrize(("price", "bound"), [(9_000_000, 2_016_000_000), (10_000_000, 1_872_000_000)])
def test_the_bound_of_flat_prices_on_the_story_is_worked_out_by_hand(price: int, bound: int) -> None:
    # At 9.00: S1 gains 16 x 24 x 1.00 = 384, B1 16 x 24 x 3.50 = 1,344, B2 144 x 2.00 = 288, B3 nothing: 2,016.
    # At 10.00: S1 768, B1 960, B2 144: 1,872.
    market = model.build(story(), slotwise=False)

    assert certificate.upper_bound(market, {(0, period): price for period in range(3)}) == bound


def test_missing_prices_count_as_nothing() -> None:
    market = model.build(paradox(), slotwise=True)

    assert certificate.upper_bound(market, {}) == 50
