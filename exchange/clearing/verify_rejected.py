"""The blocks that an outcome left out although some compatible cell and start would have served them at a gain.

Not a fault: filling them would have moved the prices. Each is listed with its best cell and start. Written apart from
the engine, like the rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from exchange.clearing.book import Order
from exchange.clearing.verify_claim import Claim, Numbers, Places, ends, heads
from exchange.clearing.violations import RejectedBlock

LARGEST = 2**20  # starts times cells that are looked at together


def rejected_blocks(claim: Claim) -> Iterator[RejectedBlock]:
    """Yield each unfilled block that would have gained, at its largest gain: the earliest start, then the last cell."""
    idle = np.flatnonzero(claim.orders.block & ~np.isin(np.arange(len(claim.book.orders)), claim.traded.order))
    best, costs = _Best(claim, len(idle)), _Costs(claim)
    # Of equal gains at one start the first cell is taken, so the last ones come first.
    falling = sorted(range(len(claim.book.cells)), key=lambda place: claim.book.cells[place].id, reverse=True)
    cells = np.array(falling, dtype=np.int64)
    accepts = claim.accepts[np.ix_(idle, cells)]
    for starts in _Starts.of(claim, idle).in_parts(max(1, LARGEST // max(1, len(cells)))):
        row, column = np.nonzero(accepts[starts.block])
        best.improve(starts, row, cells[column], costs.gains(starts, row, cells[column]))
    for place in np.flatnonzero(best.surplus > 0):
        one, cell = claim.book.orders[idle[place]], claim.book.cells[best.cell[place]]
        yield RejectedBlock(one.id, cell.id, int(best.start[place]), int(best.surplus[place]))


@dataclass(frozen=True)
class _Starts:
    """The starts to try: of which block (a place among the idle ones), begin, end, and what a lot is worth."""

    block: Places
    begin: Numbers
    end: Numbers
    worth: Numbers

    @classmethod
    def of(cls, claim: Claim, idle: Places) -> "_Starts":
        found = [_starts(claim, claim.book.orders[place]) for place in idle]
        block = np.repeat(np.arange(len(idle)), [len(starts) for starts in found])
        begin = claim.numbers(start for starts in found for start in starts)
        hours, limit = claim.orders.hours[idle][block], claim.orders.limit[idle][block]
        return cls(block, begin, begin + hours, limit * hours)

    def in_parts(self, most: int) -> Iterator["_Starts"]:
        """Yield the starts again, so many at a time."""
        for first in range(0, len(self.block), most):
            part = slice(first, first + most)
            yield _Starts(self.block[part], self.begin[part], self.end[part], self.worth[part])


def _starts(claim: Claim, order: Order) -> Sequence[int]:
    """Return the starts at which the sum of published prices can be least: all, or of very many those next to a bend.

    The sum is linear between two edges, so it is least next to a start at which either end of the block meets one.
    """
    step, last = claim.book.grid, order.latest - order.hours
    every = range(order.earliest, last + 1, step)
    if len(every) <= 6 * len(claim.edges):
        return every
    near = {order.earliest, last}
    for edge in claim.edges.tolist():
        for start in (edge, edge - order.hours):
            down = start - (start - order.earliest) % step
            near.update((down, down + step))
    return sorted(start for start in near if order.earliest <= start <= last)


class _Costs:
    """Sums of the published prices of every cell between any two slots."""

    def __init__(self, claim: Claim) -> None:
        # Slots before the first edge count as the first one, and after the last one nothing has a price.
        self.edges = claim.edges if claim.segments else claim.numbers([0])
        shape = (len(claim.book.cells), claim.segments + 1)
        self.price: Numbers = np.zeros(shape, dtype=claim.kind)
        self.price[:, :-1] = claim.price_by_cell
        self.is_priced: Numbers = np.zeros(shape, dtype=claim.kind)
        self.is_priced[:, :-1] = claim.is_priced
        self.paid_before, self.hours_before = np.zeros_like(self.price), np.zeros_like(self.price)
        np.cumsum(claim.price_by_cell * claim.hours, axis=1, out=self.paid_before[:, 1:])
        np.cumsum(self.is_priced[:, :-1] * claim.hours, axis=1, out=self.hours_before[:, 1:])

    def gains(self, starts: _Starts, row: Places, cell: Places) -> Numbers:
        """Return what a lot gains by each of some starts in each of some cells; zero unless every slot has a price."""
        slots, place = np.unique(np.concatenate((starts.begin, starts.end)), return_inverse=True)
        first, last = place[: len(starts.begin)][row], place[len(starts.begin) :][row]
        inside = np.clip(slots, self.edges[0], self.edges[-1])
        segment = np.searchsorted(self.edges, inside, side="right") - 1
        inside = inside - self.edges[segment]
        hours = self.hours_before[:, segment] + inside * self.is_priced[:, segment]
        paid = self.paid_before[:, segment] + inside * self.price[:, segment]
        whole = hours[cell, last] - hours[cell, first] == (starts.end - starts.begin)[row]
        return np.where(whole, starts.worth[row] - (paid[cell, last] - paid[cell, first]), 0)


class _Best:
    """The largest gain of each idle block so far; what comes first of equal gains stays."""

    def __init__(self, claim: Claim, blocks: int) -> None:
        self.surplus: Numbers = np.zeros(blocks, dtype=claim.kind)
        self.start: Numbers = np.zeros(blocks, dtype=claim.kind)
        self.cell = np.zeros(blocks, dtype=np.int64)

    def improve(self, starts: _Starts, row: Places, cell: Places, gain: Numbers) -> None:
        block = starts.block[row]
        begin = heads(block)
        most = np.maximum.reduceat(gain, begin)
        largest = np.flatnonzero(gain == np.repeat(most, ends(block) - begin))
        first = largest[heads(block[largest])]
        better = most > self.surplus[block[begin]]
        won, first = block[begin][better], first[better]
        self.surplus[won], self.start[won], self.cell[won] = most[better], starts.begin[row[first]], cell[first]
