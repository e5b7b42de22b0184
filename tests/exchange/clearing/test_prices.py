"""Prices: the interval test against trying every price, and where in the interval a price is put."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing import engine, model, parsing, prices, verify
from exchange.clearing.allocation import Divider, Placement, fits
from exchange.clearing.book import Book
from exchange.clearing.outcome import Outcome
from exchange.clearing.settle import price_runs, trades
from tests.exchange.clearing.cast import block, cell, hourly, offer

MOST = 9
numbers = st.integers(0, MOST)


@given(
    st.lists(st.tuples(numbers, st.integers(1, 2), st.integers(0, 1)), min_size=1, max_size=3),
    st.lists(st.tuples(numbers, st.integers(1, 2)), max_size=2),
    st.lists(st.tuples(numbers, st.integers(1, 2)), min_size=1, max_size=2),
    st.integers(0, 3),
)
def test_strict_prices_exist_exactly_where_the_interval_says_so(
    supply: list[tuple[int, int, int]], hours: list[tuple[int, int]], blocks: list[tuple[int, int]], cap: int
) -> None:
    """One or two slots, one cell: every price vector is put to the verifier."""
    book = parsing.make_book(
        cells=[cell()],
        offers=[
            offer(f"s{index}", seq=index, t0=late, t1=2, qty=qty, reserve=reserve)
            for index, (reserve, qty, late) in enumerate(supply)
        ],
        orders=[
            *(hourly(f"h{i}", seq=10 + i, t1=2, limit=limit, qty=qty) for i, (limit, qty) in enumerate(hours)),
            *(
                block(f"b{i}", seq=20 + i, t0=1, t1=2, limit=limit, qty=qty, buyer=f"u{i}")
                for i, (limit, qty) in enumerate(blocks)
            ),
        ],
        budgets={"u0": cap * 4},
    )
    market = model.build(book, slotwise=True)
    placements = tuple(
        Placement(group, ((0, book.orders[group.order].qmax),))
        for group in market.every_group
        if group.alternatives[0].cap == book.orders[group.order].qmax
    )
    if not fits(market, placements):
        return
    allocation = Divider(market).complete(placements)
    assessment = prices.assess(market, allocation)

    traded = sorted(assessment.intervals)
    found = {"strict": False, "legal": False}
    for vector in product(range(MOST + 1), repeat=len(traded)):
        published = dict(zip(traded, vector, strict=True))
        dealt, welfare = trades(market, allocation, published)
        outcome = Outcome(price_runs(market, published), dealt, welfare, welfare + 10**9)
        report = verify.verify(book, outcome.to_document())
        found["legal"] |= not report.hard
        found["strict"] |= not report.violations
    assert assessment.is_strict == found["strict"]
    assert assessment.is_legal == found["legal"]


def price_of(book: Book) -> list[int]:
    """Return the published prices of the only cell."""
    return [run.price for run in engine.clear(book).outcome.prices["c1"]]


def test_the_price_is_centred_and_floored_between_seller_and_buyer() -> None:
    book = parsing.make_book(
        cells=[cell()], offers=[offer("s", qty=1, reserve=4)], orders=[hourly("b", limit=9, qty=1)]
    )

    assert price_of(book) == [6]


def test_spare_supply_caps_the_price_before_the_buyers_limit_does() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", qty=1, reserve=4), offer("t", qty=1, reserve=6)],
        orders=[hourly("b", limit=20, qty=1)],
    )

    assert price_of(book) == [5]


def test_unmet_demand_lifts_the_lower_end() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", qty=1, reserve=4)],
        orders=[hourly("first", seq=1, limit=20, qty=1), hourly("second", seq=2, limit=10, qty=1)],
    )

    assert price_of(book) == [15]


def test_a_blocks_own_limit_caps_the_price_only_where_nothing_else_does() -> None:
    book = parsing.make_book(
        cells=[cell()], offers=[offer("s", qty=2, reserve=4)], orders=[block("b", limit=10, qty=2)]
    )

    assert price_of(book) == [7]


def test_a_block_that_centring_would_hurt_pulls_its_prices_down_by_halves() -> None:
    # In slot 0 the hour's limit of 100 would centre the price at 50; the block can carry 12 over both slots.
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", t1=2, qty=3, reserve=2)],
        orders=[hourly("h", seq=1, limit=100, qty=2), block("b", seq=2, t1=2, qty=1, limit=6)],
    )
    first, second = price_of(book)

    assert first + second <= 12
    assert (first, second) == (8, 2)
