"""An outcome and its book as columns of numbers, cut into segments.

A *segment* is a run of slots in which no trade, price run, offer or hourly window begins or ends, so one look at it
stands for all its slots. Numbers are 64-bit integers where a bound on every sum and product says that they fit, and
Python's own integers where it does not; the rules are the same columns either way.

Written apart from the engine on purpose: only the book's dataclasses are shared.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.book import Attributes, Book, Needs, Offer, Order

Numbers: TypeAlias = NDArray[Any]
Places: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

CONDITIONS = tuple(field.name for field in fields(Needs))
FITS = 2**62  # no sum over a claim passes this where its numbers are 64-bit integers


class Run(NamedTuple):
    """A published price over ``[t0, t1)``."""

    t0: int
    t1: int
    price: int


class Traded(NamedTuple):
    """One trade as claimed."""

    order: Order
    offer: Offer
    t0: int
    t1: int
    qty: int
    price: int | None


class Rows(NamedTuple):
    """What spans several segments, segment by segment: row ``i`` is ``segment[i]`` of ``owner[i]``."""

    owner: Places
    segment: Places


@dataclass(frozen=True)
class Sums:
    """Numbers by key; keys rise, and what has none has no number."""

    keys: Places
    values: Numbers

    def known(self, keys: Places) -> Flags:
        """Tell which keys have a number."""
        return np.searchsorted(self.keys, keys, side="right") > np.searchsorted(self.keys, keys)

    def at(self, keys: Places) -> Numbers:
        """Return the number of each key, zero where it has none."""
        found = np.zeros(len(keys), dtype=self.values.dtype)
        known = self.known(keys)
        found[known] = self.values[np.searchsorted(self.keys, keys[known])]
        return found


class Offers(NamedTuple):
    """The offers of the book, one place each."""

    cell: Places
    t0: Numbers
    t1: Numbers
    qty: Numbers
    reserve: Numbers


class Orders(NamedTuple):
    """The orders of the book, one place each."""

    block: Flags
    single_site: Flags
    qmin: Numbers
    qmax: Numbers
    limit: Numbers
    hours: Numbers
    earliest: Numbers
    latest: Numbers


class Trades(NamedTuple):
    """The trades of the outcome, one place each, with the places of their orders and offers."""

    order: Places
    offer: Places
    cell: Places
    t0: Numbers
    t1: Numbers
    qty: Numbers
    price: Numbers  # -1 where the trade does not say one


class Supply(NamedTuple):
    """Every offer in every segment of its window, by cell, segment, and then (reserve, seq, id)."""

    offer: Places
    segment: Places
    slot: Places  # cell and segment as one number
    sold: Numbers


@dataclass(frozen=True)
class Claim:
    """A well-formed outcome and its book."""

    book: Book
    trades: tuple[Traded, ...]
    runs: dict[str, tuple[Run, ...]]
    welfare: int | None
    bound: int | None

    @cached_property
    def kind(self) -> type:
        """``int64`` where nothing that the rules add or multiply can leave it, ``object`` otherwise."""
        book, runs = self.book, [run for of_cell in self.runs.values() for run in of_cell]
        slots = [0, *(order.earliest for order in book.orders), *(order.latest for order in book.orders)]
        slots += [slot for spans in (self.trades, runs, book.offers) for span in spans for slot in (span.t0, span.t1)]
        longest = max((order.hours for order in book.orders), default=0)
        reach = max(slots) - min(slots) + longest + 2 * book.grid
        lots = sum(trade.qty for trade in self.trades) + sum(offer.qty for offer in book.offers)
        lots += sum(order.qmax for order in book.orders)
        prices = [run.price for run in runs] + [trade.price for trade in self.trades if trade.price is not None]
        prices += [offer.reserve for offer in book.offers] + [order.limit for order in book.orders]
        largest = (1 + max(prices, default=0)) * (1 + lots) * (1 + reach)
        return np.int64 if max(largest, *slots, -min(slots)) < FITS else object

    def numbers(self, values: Iterable[int]) -> Numbers:
        """Return integers as a column."""
        return np.array(list(values), dtype=self.kind)

    @cached_property
    def cell_place(self) -> dict[str, int]:
        """The place of each cell in ``Book.cells``."""
        return {cell.id: place for place, cell in enumerate(self.book.cells)}

    @cached_property
    def offers(self) -> Offers:
        """The offers."""
        rows = self.book.offers
        return Offers(
            cell=np.array([self.cell_place[offer.cell] for offer in rows], dtype=np.int64),
            t0=self.numbers(offer.t0 for offer in rows),
            t1=self.numbers(offer.t1 for offer in rows),
            qty=self.numbers(offer.qty for offer in rows),
            reserve=self.numbers(offer.reserve for offer in rows),
        )

    @cached_property
    def orders(self) -> Orders:
        """The orders."""
        rows = self.book.orders
        return Orders(
            block=np.array([order.is_block for order in rows], dtype=bool),
            single_site=np.array([order.single_site for order in rows], dtype=bool),
            qmin=self.numbers(order.qmin for order in rows),
            qmax=self.numbers(order.qmax for order in rows),
            limit=self.numbers(order.limit for order in rows),
            hours=self.numbers(order.hours for order in rows),
            earliest=self.numbers(order.earliest for order in rows),
            latest=self.numbers(order.latest for order in rows),
        )

    @cached_property
    def traded(self) -> Trades:
        """The trades."""
        rows = self.trades
        orders = {order.id: place for place, order in enumerate(self.book.orders)}
        offers = {offer.id: place for place, offer in enumerate(self.book.offers)}
        offer = np.array([offers[trade.offer.id] for trade in rows], dtype=np.int64)
        return Trades(
            order=np.array([orders[trade.order.id] for trade in rows], dtype=np.int64),
            offer=offer,
            cell=self.offers.cell[offer],
            t0=self.numbers(trade.t0 for trade in rows),
            t1=self.numbers(trade.t1 for trade in rows),
            qty=self.numbers(trade.qty for trade in rows),
            price=self.numbers(-1 if trade.price is None else trade.price for trade in rows),
        )

    @cached_property
    def published(self) -> tuple[Places, Numbers, Numbers, Numbers]:
        """The price runs: cell, begin, end and price of each."""
        rows = [(self.cell_place[cell], run) for cell, runs in self.runs.items() for run in runs]
        return (
            np.array([cell for cell, _ in rows], dtype=np.int64),
            self.numbers(run.t0 for _, run in rows),
            self.numbers(run.t1 for _, run in rows),
            self.numbers(run.price for _, run in rows),
        )

    @cached_property
    def edges(self) -> Numbers:
        """The slots at which something changes, in order."""
        hourly, (_, t0, t1, _) = ~self.orders.block, self.published
        columns = (self.traded.t0, self.traded.t1, t0, t1, self.offers.t0, self.offers.t1)
        return np.unique(
            np.concatenate((*columns, self.orders.earliest[hourly], self.orders.latest[hourly])).astype(self.kind)
        )

    @cached_property
    def segments(self) -> int:
        """How many segments there are; segment ``i`` is ``[edges[i], edges[i + 1])``."""
        return max(0, len(self.edges) - 1)

    @cached_property
    def hours(self) -> Numbers:
        """The slots in each segment."""
        return np.diff(self.edges)

    def rows(self, t0: Numbers, t1: Numbers) -> Rows:
        """Return the segments of each span ``[t0, t1)``, whose ends have to be edges."""
        first, last = np.searchsorted(self.edges, t0), np.searchsorted(self.edges, t1)
        owner = np.repeat(np.arange(len(first)), last - first)
        before = np.cumsum(last - first) - (last - first)
        return Rows(owner, np.arange(len(owner)) - before[owner] + first[owner])

    def key(self, rows: Places, segment: Places) -> Places:
        """Return row and segment as one number, which rises with the row and then with the segment."""
        keys: Places = rows * self.segments + segment
        return keys

    def apart(self, keys: Places) -> tuple[Places, Places]:
        """Return the rows and the segments of such numbers."""
        row, segment = np.divmod(keys, max(1, self.segments))
        return row, segment

    @cached_property
    def deliveries(self) -> Rows:
        """Every trade in every segment."""
        return self.rows(self.traded.t0, self.traded.t1)

    @cached_property
    def sold(self) -> Sums:
        """Lots by (offer, segment)."""
        return self._sums(self.traded.offer)

    @cached_property
    def bought(self) -> Sums:
        """Lots by (order, segment)."""
        return self._sums(self.traded.order)

    @cached_property
    def shares(self) -> Sums:
        """Lots by (order and cell, segment); order and cell are one number, which rises with the order first."""
        return self._sums(self.traded.order * len(self.book.cells) + self.traded.cell)

    def _sums(self, row: Places) -> Sums:
        """Return the lots of all trades by (row of the trade, segment)."""
        owner, segment = self.deliveries
        keys, place = np.unique(self.key(row[owner], segment), return_inverse=True)
        values: Numbers = np.zeros(len(keys), dtype=self.kind)
        np.add.at(values, place, self.traded.qty[owner])
        return Sums(keys, values)

    @cached_property
    def price(self) -> Sums:
        """The published price by (cell, segment)."""
        cell, t0, t1, price = self.published
        owner, segment = self.rows(t0, t1)
        keys = self.key(cell[owner], segment)
        ranked = np.argsort(keys)
        return Sums(keys[ranked], price[owner][ranked])

    @cached_property
    def supply(self) -> Supply:
        """The offers, segment by segment."""
        merit = sorted(self.book.offers, key=lambda offer: (offer.reserve, offer.seq, offer.id))
        rank_of = {offer.id: rank for rank, offer in enumerate(merit)}
        rank = np.array([rank_of[offer.id] for offer in self.book.offers], dtype=np.int64)
        offer, segment = self.rows(self.offers.t0, self.offers.t1)
        slot = self.key(self.offers.cell[offer], segment)
        ranked = np.lexsort((rank[offer], slot))
        offer, segment, slot = offer[ranked], segment[ranked], slot[ranked]
        return Supply(offer, segment, slot, self.sold.at(self.key(offer, segment)))

    @cached_property
    def accepts(self) -> Flags:
        """Tell which order accepts which cell, by [order, cell]; each single condition is looked at once."""
        met = np.ones((len(self.book.orders), len(self.book.cells)), dtype=bool)
        wishes: dict[tuple[str, object], list[int]] = {}
        for place, order in enumerate(self.book.orders):
            for condition in conditions(order.needs):
                wishes.setdefault(condition, []).append(place)
        for (name, wanted), places in wishes.items():
            met[places] &= np.array([meets(cell.attributes, name, wanted) for cell in self.book.cells], dtype=bool)
        return met

    @cached_property
    def price_by_cell(self) -> Numbers:
        """The published price by [cell, segment], zero where there is none."""
        prices: Numbers = np.zeros(len(self.book.cells) * self.segments, dtype=self.kind)
        prices[self.price.keys] = self.price.values
        return prices.reshape(len(self.book.cells), self.segments)

    @cached_property
    def is_priced(self) -> Flags:
        """Where there is a published price, by [cell, segment]."""
        marks = np.zeros(len(self.book.cells) * self.segments, dtype=bool)
        marks[self.price.keys] = True
        return marks.reshape(len(self.book.cells), self.segments)

    def at(self, segment: int) -> str:
        """Return a segment as a reader may see it."""
        return f"[{self.edges[segment]}, {self.edges[segment + 1]})"

    def where(self, slot: int) -> str:
        """Return a cell and segment, given as one number, as a reader may see them."""
        return f"{self.book.cells[slot // self.segments].id} {self.at(slot % self.segments)}"


def heads(keys: Places) -> Places:
    """Return the places at which a run of equal keys begins."""
    return np.flatnonzero(np.concatenate((np.ones(min(1, len(keys)), dtype=bool), keys[1:] != keys[:-1])))


def ends(keys: Places) -> Places:
    """Return the places at which a run of equal keys ends, each the place after its last."""
    return np.append(heads(keys)[1:], len(keys)) if len(keys) else heads(keys)


def first_marked(keys: Places, marks: Flags) -> Places:
    """Return for each place the first marked place among those of equal key, which stand together; -1 for none."""
    places = np.flatnonzero(marks)
    group = np.repeat(np.arange(len(heads(keys))), ends(keys) - heads(keys))
    first = np.full(len(heads(keys)), -1)
    first[group[places][::-1]] = places[::-1]  # of several the first one is written last
    return first[group]


def conditions(needs: Needs) -> list[tuple[str, Any]]:
    """Return what is needed, by name."""
    return [(name, value) for name in CONDITIONS if (value := getattr(needs, name)) is not None]


def meets(attributes: Attributes, name: str, wanted: Any) -> bool:
    """Return whether a cell meets one need; what the cell does not say, it does not meet."""
    if name == "max_latency":
        ms = (attributes.latency_ms or {}).get(wanted.metro)
        return ms is not None and ms <= wanted.ms
    value = getattr(attributes, name.removeprefix("min_"))
    if value is None:
        return False
    return bool(value >= wanted if name.startswith("min_") else value in wanted)
