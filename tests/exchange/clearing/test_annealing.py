"""Annealing judges an allocation as the price rules do; what it finds where budgets bind is in the golden corpus."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import tiny
from exchange.clearing import allocation as allocations
from exchange.clearing import model, prices
from exchange.clearing.annealing import Annealing, Choice
from exchange.clearing.search import is_feasible

FAMILIES = ("budgets", "single_hourly", "mixes", "flexible", "crowded")


@given(st.sampled_from(FAMILIES), st.integers(0, 10**6))
def test_regret_is_nothing_exactly_where_an_allocation_is_strict(family: str, seed: int) -> None:
    market = model.build(tiny.book(family, seed), slotwise=True)
    for state in Annealing(market).run(Choice(), states=60):
        found = state.allocation
        assert is_feasible(market, found)
        assert allocations.fits(market, found.placements)
        assert state.welfare == allocations.welfare(market, found)
        assert (state.regret == 0) == prices.assess(market, found).is_strict
