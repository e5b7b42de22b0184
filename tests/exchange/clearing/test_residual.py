"""The greedy division of hourly orders against trying everything."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing import model, parsing, residual
from exchange.clearing.residual import Demand
from tests.exchange.clearing.cast import cell, offer

CELLS = 3
stacks = st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 2)), max_size=2), min_size=CELLS, max_size=CELLS)
demands = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 3), st.sets(st.integers(0, CELLS - 1), min_size=1)), max_size=3
)


def market_of(supply: list[list[tuple[int, int]]]) -> model.Market:
    """Return one slot with the given (reserve, lots) by cell."""
    offers = [
        offer(f"s{at}-{rank}", cell=f"c{at}", qty=lots, reserve=reserve)
        for at, steps in enumerate(supply)
        for rank, (reserve, lots) in enumerate(steps)
    ]
    book = parsing.make_book(
        cells=[cell(f"c{at}") for at in range(CELLS)],
        offers=[*offers, offer("s", cell="c0", qty=1, reserve=99)],
        orders=[],
    )
    return model.build(book, slotwise=True)


def worth(market: model.Market, wanted: list[Demand], lots: dict[tuple[int, int], int]) -> int:
    """Return the welfare of a division."""
    limits = {demand.order: demand.limit for demand in wanted}
    total = sum(limits[order] * count for (order, _), count in lots.items())
    for at in range(CELLS):
        sold = sum(count for (_, used), count in lots.items() if used == at)
        reserves = [step.reserve for step in market.stacks[at][0] for _ in range(step.qty)]
        total -= sum(reserves[:sold])
    return total


@given(stacks, demands)
def test_the_greedy_division_is_worth_as_much_as_the_best_of_all(
    supply: list[list[tuple[int, int]]], wanted: list[tuple[int, int, set[int]]]
) -> None:
    market = market_of(supply)
    orders = [Demand(index, limit, qty, tuple(sorted(cells))) for index, (limit, qty, cells) in enumerate(wanted)]
    keys = [(demand.order, at) for demand in orders for at in demand.cells]
    best = 0
    for lots in product(range(4), repeat=len(keys)):
        division = dict(zip(keys, lots, strict=True))
        within = all(sum(division[demand.order, at] for at in demand.cells) <= demand.qty for demand in orders) and all(
            sum(count for (_, used), count in division.items() if used == at) <= market.capacity[at][0]
            for at in range(CELLS)
        )
        if within:
            best = max(best, worth(market, orders, division))

    found = residual.fill(market, {}, orders, period=0)

    assert worth(market, orders, found) == best


def test_of_equal_limits_the_earlier_order_is_served() -> None:
    market = market_of([[(1, 2)], [], []])
    early, late = Demand(0, 5, 2, (0,)), Demand(1, 5, 2, (0,))

    assert residual.fill(market, {}, [late, early], period=0) == {(0, 0): 2}


def test_an_order_moves_to_another_cell_to_let_a_bound_one_in() -> None:
    market = market_of([[(1, 1)], [(2, 1)], []])
    free, bound = Demand(0, 9, 1, (0, 1)), Demand(1, 8, 1, (0,))

    assert residual.fill(market, {}, [free, bound], period=0) == {(1, 0): 1, (0, 1): 1}
