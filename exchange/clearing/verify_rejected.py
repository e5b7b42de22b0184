"""The blocks that an outcome left out although some compatible cell and start would have served them at a gain.

Not a fault: filling them would have moved the prices. Each is listed with its best cell and start. Written apart from
the engine, like the rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from exchange.clearing.book import Needs, Order
from exchange.clearing.verify_claim import Claim, Flags, Numbers, Places, ends, heads
from exchange.clearing.violations import RejectedBlock


def rejected_blocks(claim: Claim) -> Iterator[RejectedBlock]:
    """Yield each unfilled block that would have gained, at its largest gain: the earliest start, then the last cell."""
    idle = np.flatnonzero(claim.orders.block & ~np.isin(np.arange(len(claim.book.orders)), claim.traded.order))
    starts = _Starts.of(claim, idle)
    best = _Best(claim, len(idle))
    cells = sorted(range(len(claim.book.cells)), key=lambda place: claim.book.cells[place].id)
    needs: dict[Needs, int] = {}
    wish = np.array([needs.setdefault(claim.book.orders[place].needs, len(needs)) for place in idle], dtype=np.int64)
    accepted = np.array([claim.accepted(one) for one in needs], dtype=bool)
    for cell in cells if needs else []:
        costs = _Costs.of(claim, cell)
        if costs is not None:
            best.improve(cell, costs, starts.chosen(accepted[wish[starts.block], cell]))
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

    def chosen(self, marks: Flags) -> "_Starts":
        return _Starts(self.block[marks], self.begin[marks], self.end[marks], self.worth[marks])


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


@dataclass(frozen=True)
class _Costs:
    """Sums of one cell's published prices between any two slots."""

    begin: Numbers
    end: Numbers
    price: Numbers
    hours_before: Numbers
    paid_before: Numbers

    @classmethod
    def of(cls, claim: Claim, cell: int) -> "_Costs | None":
        runs = claim.runs.get(claim.book.cells[cell].id)
        if not runs:
            return None
        begin, end = claim.numbers(run.t0 for run in runs), claim.numbers(run.t1 for run in runs)
        price = claim.numbers(run.price for run in runs)
        hours, paid = end - begin, (end - begin) * price
        return cls(begin, end, price, np.cumsum(hours) - hours, np.cumsum(paid) - paid)

    def between(self, begin: Numbers, end: Numbers) -> tuple[Flags, Numbers]:
        """Tell where every slot of ``[begin, end)`` has a price, and the sum of the prices there."""
        (hours, paid), (more_hours, more_paid) = self._until(begin), self._until(end)
        return more_hours - hours == end - begin, more_paid - paid

    def _until(self, slot: Numbers) -> tuple[Numbers, Numbers]:
        place = np.searchsorted(self.begin, slot) - 1
        inside = np.minimum(slot, self.end[place]) - self.begin[place]
        before = place < 0
        hours = np.where(before, 0, self.hours_before[place] + inside)
        return hours, np.where(before, 0, self.paid_before[place] + inside * self.price[place])


class _Best:
    """The largest gain of each idle block so far, cell by cell in the order of their ids."""

    def __init__(self, claim: Claim, blocks: int) -> None:
        self.surplus: Numbers = np.zeros(blocks, dtype=claim.kind)
        self.start: Numbers = np.zeros(blocks, dtype=claim.kind)
        self.cell = np.zeros(blocks, dtype=np.int64)

    def improve(self, cell: int, costs: _Costs, starts: _Starts) -> None:
        whole, paid = costs.between(starts.begin, starts.end)
        gain = np.where(whole, starts.worth - paid, 0)
        begin = heads(starts.block)
        most = np.maximum.reduceat(gain, begin)
        # Starts rise within a block: of its largest gains the first one is the earliest.
        largest = np.flatnonzero(gain == np.repeat(most, ends(starts.block) - begin))
        first = largest[heads(starts.block[largest])]
        block, start = starts.block[begin], starts.begin[first]
        better = (most > self.surplus[block]) | ((most == self.surplus[block]) & (start <= self.start[block]))
        won = block[better]
        self.surplus[won], self.start[won], self.cell[won] = most[better], start[better], cell
