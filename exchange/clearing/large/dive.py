"""From the relaxation to an allocation: fix what it runs whole, and the likeliest of the rest, and solve again.

Each step fixes a share of the blocks at least at ``qmin`` lots, in capacity that is counted in integers, and forbids
the starts that no longer fit; the next relaxation then knows better. Every step decides something, so it ends.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.program import Program
from exchange.clearing.large.tables import Floats, Ints
from exchange.clearing.solver import Relaxation

WHOLE = 1e-6


@dataclass(frozen=True)
class Pace:
    """How much a step fixes: a share of the fractional groups, and at least so many.

    After ``solves`` further relaxations the rest is fixed by what the last one said.
    """

    share: float = 0.2
    least: int = 60
    solves: int = 60


class Dive:
    """One dive from a solved relaxation."""

    def __init__(self, program: Program, relaxation: Relaxation, *, pace: Pace) -> None:
        self.program = program
        self.market = program.part.market
        self.relaxation = relaxation
        self.pace = pace
        groups = self.market.groups
        self._most = program.most
        self._row = np.full(len(self.market.book.orders), -1, dtype=np.int64)
        own = np.unique(groups.order)
        self._row[own] = np.arange(len(own))  # the rows of blocks come first
        self.lots = np.zeros(len(groups.cell), dtype=np.int64)
        self._floor = np.zeros(self.market.stacks.capacity.shape, dtype=np.int64)
        self._decided = np.zeros(len(self.market.book.orders), dtype=bool)

    def run(self, values: Floats) -> Ints:
        """Return lots by alternative, a feasible choice of blocks; ``values`` solve the relaxation."""
        for solves in range(self.pace.solves + 1):
            last = solves == self.pace.solves
            chosen = self._likeliest(values, every=last)
            if not len(chosen):
                break
            self._fix(chosen, values[self.program.lots])
            if last:
                break
            found = self.relaxation.solve().within(self.program.arrays)
            if found is None:
                break
            values = found
        return self._levels(values[self.program.lots])

    def _likeliest(self, values: Floats, *, every: bool) -> Ints:
        groups = self.market.groups
        share = np.add.reduceat(values[self.program.lots], groups.begin[:-1]) / self._most
        left = np.flatnonzero(~self._decided[groups.order] & (share > WHOLE))
        whole = share[left] >= 1 - WHOLE
        rest = left[~whole]
        rest = rest[np.lexsort((rest, -share[rest]))]
        count = len(rest) if every else max(self.pace.least, int(len(rest) * self.pace.share))
        return np.concatenate([left[whole], rest[:count]])

    def _fix(self, chosen: Ints, values: Floats) -> None:
        groups = self.market.groups
        barred: list[Ints] = []
        rows: list[int] = []
        lower: list[float] = []
        for group in chosen:
            order = groups.order[group]
            if self._decided[order]:
                continue
            own = np.arange(groups.begin[group], groups.begin[group + 1])
            least = self._least(group, own, values[own], int(self.market.orders.qmin[order]))
            if least is None:
                barred.append(own)
                continue
            self._decided[order] = True
            self.lots[own] = least
            self._floor[groups.cell[own], groups.first[group] : groups.last[group]] += least[:, None]
            begin, end = self.market.groups_of[order], self.market.groups_of[order + 1]
            every = np.arange(groups.begin[begin], groups.begin[end])
            barred.append(every[(every < own[0]) | (every > own[-1])])
            rows.append(self._row[order])
            lower.append(int(self.market.orders.qmin[order]) / float(self._most[group]))
        columns = self.program.lots[np.concatenate(barred)] if barred else np.zeros(0, dtype=np.int64)
        self.relaxation.set_upper(columns, np.zeros(len(columns)))
        self.relaxation.set_row_lower(np.array(rows, dtype=np.int64), np.array(lower))

    def _least(self, group: int, own: Ints, values: Floats, wanted: int) -> Ints | None:
        """Return so many lots over the group's cells, near the values; None if what is left is too little."""
        groups = self.market.groups
        slab = slice(int(groups.first[group]), int(groups.last[group]))
        cells = groups.cell[own]
        room = (self.market.stacks.capacity[cells, slab] - self._floor[cells, slab]).min(axis=1)
        room = np.minimum(room, groups.cap[own])
        return filled(np.floor(values + 1e-4).astype(np.int64), values, room, wanted)

    def _levels(self, values: Floats) -> Ints:
        """Return the fixed blocks at the whole lots of the last relaxation, those that divide best first."""
        groups, orders = self.market.groups, self.market.orders
        fixed = np.unique(groups.group[np.flatnonzero(self.lots)])
        self._floor[:] = 0
        lots = np.zeros_like(self.lots)
        broken = np.add.reduceat(np.abs(values - np.rint(values)), groups.begin[:-1])[fixed] > WHOLE * 100
        for group in np.concatenate([fixed[~broken], fixed[broken]]):
            own = np.arange(groups.begin[group], groups.begin[group + 1])
            order = groups.order[group]
            wanted = int(np.clip(np.floor(values[own].sum() + 1e-4), orders.qmin[order], orders.qmax[order]))
            found = self._least(group, own, values[own], wanted)
            if found is None:
                found = self._least(group, own, values[own], int(orders.qmin[order]))
            if found is not None:
                lots[own] = found
                self._floor[groups.cell[own], groups.first[group] : groups.last[group]] += found[:, None]
        return lots


def filled(lots: Ints, values: Floats, room: Ints, wanted: int) -> Ints | None:
    """Return exactly ``wanted`` lots close to ``lots``, inside ``room``; None if the room does not suffice."""
    lots = np.minimum(lots, room)
    missing = wanted - int(lots.sum())
    if missing > int((room - lots).sum()):
        return None
    for place in np.argsort(lots - values, kind="stable") if missing > 0 else ():
        step = min(missing, int(room[place] - lots[place]))
        lots[place] += step
        missing -= step
    for place in np.argsort(-lots, kind="stable") if missing < 0 else ():
        step = min(-missing, int(lots[place]))
        lots[place] -= step
        missing += step
    return lots
