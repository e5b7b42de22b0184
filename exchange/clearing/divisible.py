"""The fast path: books of hourly orders that each accept one cell fall apart into single products, one a cell and slot.

Nothing couples them, so each is matched by itself (``single_product``), and prices, trades and certificate are put
together in the same canonical order in which the general search would publish them. At the prices found, every seller
and every buyer does the best that it can, so the settlement prices prove that no allocation is worth more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing import needs, single_product
from exchange.clearing.book import Book, Needs
from exchange.clearing.certificate import Certificate, Vector
from exchange.clearing.outcome import Outcome, PriceRun, Trade
from exchange.clearing.single_product import Integers, Match, Side

ENGINE = "single-product/1"


@dataclass(frozen=True)
class _Rows:
    """Offers or orders of one cell, in canonical order, with their place in the book."""

    places: Integers
    prices: Integers
    quantities: Integers
    begins: Integers
    ends: Integers

    def open_in(self, t0: int, t1: int) -> "_Rows":
        """Return the rows whose window holds ``[t0, t1)``."""
        found = np.flatnonzero((self.begins <= t0) & (self.ends >= t1))
        return _Rows(
            self.places[found], self.prices[found], self.quantities[found], self.begins[found], self.ends[found]
        )

    def side(self) -> Side:
        """Return the rows as one side of a market."""
        return Side(self.prices, self.quantities, self.places)


@dataclass(frozen=True)
class _Dealt:
    """Trades of one cell and period: lots by (order, offer), places in the book."""

    orders: Integers
    offers: Integers
    lots: Integers
    t0: int
    t1: int
    price: int


def clear(book: Book) -> tuple[Outcome, Certificate] | None:
    """Return outcome and certificate of a canonical book, None where the book is not of this kind."""
    orders_of = _orders_by_cell(book)
    if orders_of is None:
        return None
    prices: dict[str, tuple[PriceRun, ...]] = {}
    dealt: list[_Dealt] = []
    welfare = bound = 0
    for cell, offers in _offers_by_cell(book).items():
        orders = _orders(book, orders_of.get(cell, []))
        runs: list[PriceRun] = []
        for t0, t1 in _periods(offers, orders):
            asks, bids = offers.open_in(t0, t1), orders.open_in(t0, t1)
            if not len(asks.places):
                continue
            match = single_product.match(bids.side(), asks.side())
            # An idle cell is published at its cheapest reserve, where nobody idle would have sold.
            price = int(asks.prices.min()) if match.price is None else match.price
            _extend(runs, PriceRun(t0, t1, price))
            welfare += match.welfare * (t1 - t0)
            bound += _bound(bids, asks, price) * (t1 - t0)
            if match.quantity:
                dealt.append(_deal(bids, asks, match, PriceRun(t0, t1, price)))
        prices[cell] = tuple(runs)
    proof = Vector(prices, bound)
    return Outcome(prices, tuple(_trades(book, dealt)), welfare, bound), Certificate(settlement=proof, duals=proof)


def _orders_by_cell(book: Book) -> dict[str, list[int]] | None:
    """Return the places of the orders by the one cell that each can be served in, None if there is more to decide."""
    if any(order.is_block or order.buyer in book.budgets for order in book.orders):
        return None
    supplied = {offer.cell for offer in book.offers}
    cells = [cell for cell in book.cells if cell.id in supplied]
    compatible: dict[Needs, list[str]] = {}
    found: dict[str, list[int]] = {}
    for place, order in enumerate(book.orders):
        if order.needs not in compatible:
            compatible[order.needs] = [cell.id for cell in cells if needs.satisfies(cell.attributes, order.needs)]
        accepted = compatible[order.needs]
        if len(accepted) > 1:
            return None
        if accepted:
            found.setdefault(accepted[0], []).append(place)
    return found


def _offers_by_cell(book: Book) -> dict[str, _Rows]:
    places: dict[str, list[int]] = {cell.id: [] for cell in book.cells}
    for place, offer in enumerate(book.offers):
        places[offer.cell].append(place)
    return {
        cell: _rows(
            found,
            [(offer.reserve, offer.qty, offer.t0, offer.t1) for offer in (book.offers[place] for place in found)],
        )
        for cell, found in places.items()
        if found
    }


def _orders(book: Book, places: list[int]) -> _Rows:
    orders = (book.orders[place] for place in places)
    return _rows(places, [(order.limit, order.qmax, order.earliest, order.latest) for order in orders])


def _rows(places: list[int], values: list[tuple[int, int, int, int]]) -> _Rows:
    columns = np.array(values, dtype=np.int64).reshape(len(places), 4).T
    return _Rows(np.array(places, dtype=np.int64), *(np.ascontiguousarray(column) for column in columns))


def _periods(offers: _Rows, orders: _Rows) -> Iterator[tuple[int, int]]:
    """Yield the runs of slots in which no window of the cell begins or ends."""
    edges = np.unique(np.concatenate((offers.begins, offers.ends, orders.begins, orders.ends)))
    return pairwise(edges.tolist())


def _extend(runs: list[PriceRun], run: PriceRun) -> None:
    if runs and (runs[-1].t1, runs[-1].price) == (run.t0, run.price):
        runs[-1] = PriceRun(runs[-1].t0, run.t1, run.price)
    else:
        runs.append(run)


def _bound(bids: _Rows, asks: _Rows, price: int) -> int:
    """Return what sellers and buyers could gain at a price, in micros per slot: no allocation is worth more."""
    gains = [
        (np.maximum(price - asks.prices, 0), asks.quantities),
        (np.maximum(bids.prices - price, 0), bids.quantities),
    ]
    # An order cannot take more than the cell has, but at the price that cleared it, it does not want to either.
    return sum(single_product.worth(gain, lots, of=single_product.total(lots)) for gain, lots in gains)


def _deal(bids: _Rows, asks: _Rows, match: Match, run: PriceRun) -> _Dealt:
    """Hand the lots of the offers in merit order to the buyers in canonical order."""
    merit = np.argsort(asks.prices, kind="stable")
    bid_ends, ask_ends = _ends(match.bid_fills), _ends(match.ask_fills[merit])
    cuts = np.unique(np.concatenate((bid_ends, ask_ends)))
    cuts = cuts[cuts > 0]
    lots = np.diff(cuts, prepend=cuts.dtype.type(0) if cuts.dtype != object else 0)
    buyers, sellers = np.searchsorted(bid_ends, cuts), np.searchsorted(ask_ends, cuts)
    return _Dealt(bids.places[buyers], asks.places[merit[sellers]], lots.astype(np.int64), run.t0, run.t1, run.price)


def _ends(fills: Integers) -> NDArray[Any]:
    kind = object if single_product.total(fills) >= single_product.INT64 else np.int64
    return np.cumsum(fills.astype(kind))


def _trades(book: Book, dealt: list[_Dealt]) -> Iterator[Trade]:
    """Yield the trades by order and offer, equal consecutive periods as one."""
    if not dealt:
        return
    orders, offers, lots = (
        np.concatenate([getattr(one, name) for one in dealt]) for name in ("orders", "offers", "lots")
    )
    t0, t1, price = (
        np.concatenate([np.full(len(one.lots), getattr(one, name)) for one in dealt]) for name in ("t0", "t1", "price")
    )
    by_pair = np.lexsort((t0, offers, orders))
    columns = [column[by_pair] for column in (orders, offers, lots, price, t0, t1)]
    orders, offers, lots, price, t0, t1 = columns
    goes_on = t0[1:] == t1[:-1]
    for column in (orders, offers, lots, price):
        goes_on &= column[1:] == column[:-1]
    first = np.flatnonzero(np.concatenate(([True], ~goes_on)))
    last = np.append(first[1:], len(t0)) - 1
    rows = zip(
        *(column[first].tolist() for column in (orders, offers, t0)),
        *(column[places].tolist() for column, places in ((t1, last), (lots, first), (price, first))),
        strict=True,
    )
    for order, offer, begin, end, count, micros in rows:
        yield Trade(book.orders[order].id, book.offers[offer].id, begin, end, count, micros)
