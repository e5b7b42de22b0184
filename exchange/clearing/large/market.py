"""A large book, looked up once: periods, merit orders, compatible cells, and the choices of every order.

All amounts are int64 micros and lots. ``build`` returns None for a book whose sums could leave that range or whose
arrays would be too large; arbitrary integers are then the way. Rows follow the canonical order of the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from exchange.clearing.book import Book, Needs
from exchange.clearing.large import expansion
from exchange.clearing.large.expansion import Alternatives, Runs
from exchange.clearing.large.tables import Axis, Flags, Groups, Hourly, Ints, Orders, Stacks, ranges
from exchange.clearing.needs import Matcher

LARGEST_SUM = 2**61  # of prices times lots times hours, over the whole book
LARGEST_ARRAY = 30_000_000  # entries of one array


@dataclass(frozen=True)
class Market:
    """A book with everything looked up."""

    book: Book
    cells: tuple[int, ...]  # places in Book.cells of the cells with offers; every array counts these
    axis: Axis
    stacks: Stacks
    orders: Orders
    compatible: Flags  # [needs, cell]
    groups: Groups
    hourly: Hourly
    runs: Runs
    every: Alternatives  # of blocks, before pruning

    @cached_property
    def groups_of(self) -> Ints:
        """Order ``o`` has the groups ``groups_of[o]`` to ``groups_of[o + 1]``."""
        return np.searchsorted(self.groups.order, np.arange(len(self.book.orders) + 1))


def build(book: Book) -> Market | None:
    """Index a canonical book; None when it does not fit into 64-bit arrays."""
    if not book.offers or not book.orders or not _counts_in_64_bits(book):
        return None
    starts = _starts(book)
    if starts is None:
        return None
    axis = _axis(book, starts)
    offered = sorted({offer.cell for offer in book.offers})
    stacks = _stacks(book, axis, {cell: place for place, cell in enumerate(offered)})
    if stacks is None:
        return None
    places = {cell.id: place for place, cell in enumerate(book.cells)}
    cells = tuple(places[cell] for cell in offered)
    matcher = Matcher([book.cells[cell].attributes for cell in cells])
    distinct: dict[Needs, int] = {}
    needs = [distinct.setdefault(order.needs, len(distinct)) for order in book.orders]
    compatible = np.array([matcher.satisfying(each) for each in distinct], dtype=bool)
    orders = _orders(book, axis, needs)
    runs = _runs(book, axis, starts)
    if int(compatible.sum(axis=1)[orders.needs[runs.order]].sum()) > LARGEST_ARRAY:
        return None
    alternatives = expansion.expand(runs, stacks, orders, compatible)
    return Market(
        book=book,
        cells=cells,
        axis=axis,
        stacks=stacks,
        orders=orders,
        compatible=compatible,
        groups=expansion.groups(alternatives, runs, axis, stacks, orders),
        hourly=expansion.hourly(stacks, orders, compatible),
        runs=runs,
        every=alternatives,
    )


def _counts_in_64_bits(book: Book) -> bool:
    """Tell whether no sum over the book can leave 64 bits, whatever is bought at whatever price of the book."""
    t0, t1 = _extent(book)
    if not (min(t0, 0) > -LARGEST_SUM and t1 < LARGEST_SUM):
        return False
    dearest = max(*(offer.reserve for offer in book.offers), *(order.limit for order in book.orders), 1)
    supply = sum(offer.qty * (offer.t1 - offer.t0) for offer in book.offers)
    demand = sum(
        order.qmax * (order.hours or max(0, min(order.latest, t1) - max(order.earliest, t0))) for order in book.orders
    )
    return dearest * (supply + demand) * 2 < LARGEST_SUM


def _extent(book: Book) -> tuple[int, int]:
    return min(offer.t0 for offer in book.offers), max(offer.t1 for offer in book.offers)


def _starts(book: Book) -> list[range] | None:
    """Return the starts of each block inside its window and the extent of the supply; None where they are too many."""
    t0, t1 = _extent(book)
    found, count = [], 0
    for order in book.orders:
        begin = max(order.earliest, t0)
        begin += (order.earliest - begin) % book.grid
        end = min(order.latest, t1) - order.hours
        found.append(range(begin, end + 1, book.grid) if order.is_block else range(0))
        count += len(found[-1])
    return found if count <= LARGEST_ARRAY // 10 else None


def _axis(book: Book, starts: Sequence[range]) -> Axis:
    t0, t1 = _extent(book)
    edges = {edge for offer in book.offers for edge in (offer.t0, offer.t1)}
    for order, found in zip(book.orders, starts, strict=True):
        if order.is_block:
            edges.update(found)
            edges.update(start + order.hours for start in found)
        else:
            edges.update((max(t0, min(order.earliest, t1)), max(t0, min(order.latest, t1))))
    ordered = np.array(sorted(edges), dtype=np.int64)
    change = np.zeros(len(ordered), dtype=np.int64)
    np.add.at(change, np.searchsorted(ordered, [offer.t0 for offer in book.offers]), 1)
    np.add.at(change, np.searchsorted(ordered, [offer.t1 for offer in book.offers]), -1)
    covered = np.cumsum(change)[:-1] > 0
    return Axis(ordered[:-1][covered], ordered[1:][covered])


def _stacks(book: Book, axis: Axis, place: dict[str, int]) -> Stacks | None:
    cell = np.array([place[offer.cell] for offer in book.offers], dtype=np.int64)
    reserve = np.array([offer.reserve for offer in book.offers], dtype=np.int64)
    lots = np.array([offer.qty for offer in book.offers], dtype=np.int64)
    first = np.searchsorted(axis.begin, [offer.t0 for offer in book.offers])
    last = np.searchsorted(axis.end, [offer.t1 for offer in book.offers], side="right")
    period, offer = ranges(first, last)
    # Book.offers is by (seq, id), so its places settle ties of the reserve.
    ranked = np.lexsort((offer, reserve[offer], period, cell[offer]))
    period, offer = period[ranked], offer[ranked]
    key = cell[offer] * len(axis.begin) + period
    step = np.arange(len(key)) - np.searchsorted(key, key)
    shape = (len(place), len(axis.begin), int(step.max()) + 1)
    if shape[0] * shape[1] * shape[2] > LARGEST_ARRAY:
        return None
    stacks = Stacks(
        reserve=np.zeros(shape, dtype=np.int64),
        lots=np.zeros(shape, dtype=np.int64),
        offer=np.full(shape, -1, dtype=np.int64),
    )
    where = cell[offer], period, step
    stacks.reserve[where] = reserve[offer]
    stacks.lots[where] = lots[offer]
    stacks.offer[where] = offer
    return stacks


def _orders(book: Book, axis: Axis, needs: list[int]) -> Orders:
    t0, t1 = _extent(book)
    earliest = np.array([max(t0, min(order.earliest, t1)) for order in book.orders], dtype=np.int64)
    latest = np.array([max(t0, min(order.latest, t1)) for order in book.orders], dtype=np.int64)
    first = np.searchsorted(axis.begin, earliest)
    return Orders(
        block=np.array([order.is_block for order in book.orders], dtype=bool),
        single_site=np.array([order.single_site for order in book.orders], dtype=bool),
        qmin=np.array([order.qmin for order in book.orders], dtype=np.int64),
        qmax=np.array([order.qmax for order in book.orders], dtype=np.int64),
        limit=np.array([order.limit for order in book.orders], dtype=np.int64),
        hours=np.array([order.hours for order in book.orders], dtype=np.int64),
        needs=np.array(needs, dtype=np.int64),
        first=first,
        last=np.maximum(first, np.searchsorted(axis.end, latest, side="right")),
    )


def _runs(book: Book, axis: Axis, starts: Sequence[range]) -> Runs:
    order = np.repeat(np.arange(len(starts)), [len(found) for found in starts])
    begin = np.array([start for found in starts for start in found], dtype=np.int64)
    hours = np.array([order.hours for order in book.orders], dtype=np.int64)[order]
    first = np.minimum(np.searchsorted(axis.begin, begin), len(axis.begin) - 1)
    last = np.searchsorted(axis.end, begin + hours, side="right")
    # Hours without any capacity make a run shorter than its block.
    whole = (axis.begin[first] == begin) & (last > first) & (axis.clock[last] - axis.clock[first] == hours)
    return Runs(order[whole], first[whole], last[whole])
