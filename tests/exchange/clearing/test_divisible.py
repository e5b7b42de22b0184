"""Books that fall apart into single products: the fast path against lot-by-lot matching and against the search."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.clearing import divisible, engine, parsing, single_product, verify
from exchange.clearing.book import Book, Needs
from exchange.clearing.limits import DEFAULT, Limits
from exchange.clearing.single_product import Match, Side
from tests.exchange.clearing import cast

SEARCHED = replace(DEFAULT, divisible=False)
ENUMERATED = replace(SEARCHED, float_ticks=-1)
ON_ARRAYS = replace(SEARCHED, large_orders=-1)

Row = tuple[int, int, int]  # price, lots, sequence


def side(rows: list[Row]) -> Side:
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), 3).T
    return Side(*(column.copy() for column in columns))


def lot_by_lot(bids: list[Row], asks: list[Row]) -> tuple[list[int], list[int], tuple[int, int] | None, int]:
    """Return fills, price interval and welfare of the obvious matching: one lot after the other."""
    wanted = [place for _, _, place in sorted((-price, seq, place) for place, (price, _, seq) in enumerate(bids))]
    offered = [place for _, _, place in sorted((price, seq, place) for place, (price, _, seq) in enumerate(asks))]
    demand = [place for place in wanted for _ in range(bids[place][1])]
    supply = [place for place in offered for _ in range(asks[place][1])]
    bid_fills, ask_fills, welfare = [0] * len(bids), [0] * len(asks), 0
    for buyer, seller in zip(demand, supply, strict=False):
        if bids[buyer][0] < asks[seller][0]:
            break
        bid_fills[buyer] += 1
        ask_fills[seller] += 1
        welfare += bids[buyer][0] - asks[seller][0]
    if not any(bid_fills):
        return bid_fills, ask_fills, None, 0
    lows = [bids[place][0] for place, lots in enumerate(bid_fills) if lots < bids[place][1]]
    lows += [asks[place][0] for place, lots in enumerate(ask_fills) if lots]
    highs = [bids[place][0] for place, lots in enumerate(bid_fills) if lots]
    highs += [asks[place][0] for place, lots in enumerate(ask_fills) if lots < asks[place][1]]
    return bid_fills, ask_fills, (max(lows), min(highs)), welfare


def agree(bids: list[Row], asks: list[Row]) -> None:
    found = single_product.match(side(bids), side(asks))
    bid_fills, ask_fills, interval, welfare = lot_by_lot(bids, asks)
    assert found.bid_fills.tolist() == bid_fills
    assert found.ask_fills.tolist() == ask_fills
    assert found.welfare == welfare
    assert found.quantity == sum(bid_fills)
    assert (found.lo, found.hi) == (interval or (None, None))
    assert found.price == (None if interval is None else interval[0] + (interval[1] - interval[0]) // 2)


def rows(price: st.SearchStrategy[int]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(price, st.integers(1, 4), st.integers(-2, 2)), max_size=30)


PRICES = st.one_of(st.integers(0, 3), st.integers(0, 9_000), st.integers(2**62, 2**63 - 1), st.integers(0, 2**63 - 1))


@given(
    st.one_of(*(st.tuples(rows(price), rows(price)) for price in (st.integers(0, 3), st.integers(0, 9_000), PRICES)))
)
def test_sorting_fills_and_prices_as_lot_by_lot_does(book: tuple[list[Row], list[Row]]) -> None:
    agree(*book)


@pytest.fixture
def histograms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have histograms look at every book, in few bins, down to a few orders."""
    monkeypatch.setattr(single_product, "SORTED_BELOW", 3)
    monkeypatch.setattr(single_product, "BIN_BITS", 2)


@pytest.mark.usefixtures("histograms")
@given(
    st.one_of(*(st.tuples(rows(price), rows(price)) for price in (st.integers(0, 3), st.integers(0, 9_000), PRICES)))
)
def test_histograms_fill_and_price_as_lot_by_lot_does(book: tuple[list[Row], list[Row]]) -> None:
    agree(*book)


@pytest.mark.parametrize("ticks", [1, 2, 20_000, 2**50])
def test_a_large_book_is_the_same_by_histogram_and_by_sorting(ticks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(ticks)
    count = 20_000
    bids, asks = (
        Side(draw.integers(0, ticks, count), draw.integers(1, 50, count), draw.integers(0, 100, count)) for _ in "ab"
    )
    by_histogram = single_product.match(bids, asks)
    monkeypatch.setattr(single_product, "SORTED_BELOW", 10 * count)
    by_sorting = single_product.match(bids, asks)

    assert as_values(by_histogram) == as_values(by_sorting)
    assert by_histogram.quantity > 0


def as_values(match: Match) -> list[object]:
    return [
        match.price,
        match.lo,
        match.hi,
        match.quantity,
        match.welfare,
        match.bid_fills.tolist(),
        match.ask_fills.tolist(),
    ]


def test_quantities_and_payments_beyond_64_bits_are_exact() -> None:
    most = 2**63 - 1
    bids, asks = [(most, most, 1), (most - 1, most, 2)], [(0, most, 1), (1, most - 5, 1), (most - 1, 3, 1)]

    found = single_product.match(side(bids), side(asks))

    assert found.bid_fills.tolist() == [most, most - 2]
    assert found.ask_fills.tolist() == [most, most - 5, 3]
    assert found.quantity == 2 * most - 2
    assert found.welfare == most * most + (most - 2) * (most - 1) - (most - 5) - 3 * (most - 1)
    assert (found.lo, found.hi) == (most - 1, most - 1)


def test_at_the_margin_the_earlier_sequence_and_then_the_earlier_place_is_filled() -> None:
    found = single_product.match(side([(5, 2, 9), (5, 2, 1), (5, 2, 1)]), side([(5, 3, 0)]))

    assert found.bid_fills.tolist() == [0, 2, 1]


# --- whole books --------------------------------------------------------------------------------------------------

windows = st.tuples(st.integers(0, 5), st.integers(1, 4)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))
prices = st.integers(0, 9)


@st.composite
def divisible_books(draw: st.DrawFn) -> Book:
    """Two cells, hourly orders that name one of them, odd windows, equal seqs."""
    offers = [
        cast.offer(
            f"s{index}",
            seq=draw(st.integers(1, 3)),
            cell=draw(st.sampled_from("ab")),
            t0=t0,
            t1=t1,
            qty=qty,
            reserve=reserve,
        )
        for index, ((t0, t1), qty, reserve) in enumerate(
            draw(st.lists(st.tuples(windows, st.integers(1, 4), prices), max_size=5))
        )
    ]
    orders = [
        cast.hourly(
            f"b{index}",
            seq=draw(st.integers(1, 3)),
            t0=t0,
            t1=t1,
            qty=qty,
            limit=limit,
            needs=Needs(model=(draw(st.sampled_from("abc")),)),
            single_site=draw(st.booleans()),
        )
        for index, ((t0, t1), qty, limit) in enumerate(
            draw(st.lists(st.tuples(windows, st.integers(1, 4), prices), max_size=6))
        )
    ]
    return parsing.make_book(
        cells=[cast.cell("a", model="a"), cast.cell("b", model="b")],
        offers=offers,
        orders=orders,
        budgets={"nobody": 1},
    )


def even_trade_of_one_site() -> Book:
    """Return a book in which a single-site order can only trade at no gain, and another one at a gain of 1."""
    needs = Needs(model=("a",))
    return parsing.make_book(
        cells=[cast.cell("a", model="a")],
        offers=[cast.offer("s", cell="a", qty=2, reserve=1)],
        orders=[
            cast.hourly("gains", seq=1, qty=1, limit=2, needs=needs),
            cast.hourly("even", seq=2, qty=1, limit=1, needs=needs, single_site=True),
        ],
    )


@given(divisible_books())
@example(even_trade_of_one_site())
@pytest.mark.parametrize("limits", [SEARCHED, ENUMERATED, ON_ARRAYS])
def test_the_fast_path_publishes_the_bytes_of_every_other_path(limits: Limits, book: Book) -> None:
    fast, searched = engine.clear(book), engine.clear(book, limits=limits)

    assert fast.stats.method == "divisible"
    assert searched.stats.method != "divisible"
    assert fast.outcome.canonical_bytes() == searched.outcome.canonical_bytes()


@pytest.mark.parametrize("limits", [SEARCHED, ENUMERATED, ON_ARRAYS])
def test_at_no_gain_hourly_orders_are_served_and_blocks_stay_out(limits: Limits) -> None:
    book = parsing.make_book(
        cells=[cast.cell()],
        offers=[cast.offer("s", t1=2, qty=6, reserve=3)],
        orders=[
            cast.block("early", seq=1, qty=2, limit=3, t1=2),
            cast.hourly("hours", seq=2, qty=2, limit=3, t1=2),
            cast.block("late", seq=3, qty=1, limit=3, hours=1, t1=2, single_site=True),
            cast.hourly("site", seq=4, qty=2, limit=3, t1=2, single_site=True),
            cast.block("gains", seq=5, qty=1, limit=4, t1=2),
        ],
    )
    found = engine.clear(book, limits=limits)

    assert {trade.order: trade.qty for trade in found.outcome.trades} == {"hours": 2, "site": 2, "gains": 1}
    assert found.strict


@given(divisible_books())
def test_the_fast_path_meets_every_rule_and_proves_its_optimum(book: Book) -> None:
    result = engine.clear(book)
    report = verify.verify(book, json.loads(result.outcome.canonical_bytes()))

    assert report.violations == ()
    assert result.strict
    assert not result.degraded
    assert result.outcome.welfare == result.outcome.bound == result.certificate.bound


def test_the_fast_path_is_taken_for_divisible_books_and_for_no_others() -> None:
    def taken(book: Book) -> bool:
        return divisible.clear(book) is not None

    one = parsing.make_book(
        cells=[cast.cell()], offers=[cast.offer("s", qty=3, reserve=1)], orders=[cast.hourly("b", qty=2, limit=3)]
    )
    choice = [cast.cell(), cast.cell("c2")]
    supply = [cast.offer("s", qty=3, reserve=1), cast.offer("s2", cell="c2", qty=3, reserve=1)]

    assert taken(one)
    assert taken(parsing.make_book(cells=choice, offers=supply[:1], orders=one.orders))
    assert not taken(parsing.make_book(cells=choice, offers=supply, orders=one.orders))
    assert not taken(parsing.make_book(cells=one.cells, offers=one.offers, orders=[cast.block("b", qty=1, limit=3)]))
    assert not taken(parsing.make_book(cells=one.cells, offers=one.offers, orders=one.orders, budgets={"u": 9}))
