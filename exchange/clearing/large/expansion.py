"""Every choice of every order, and the exact pruning of those that no legal outcome could use.

An alternative of a single-site block goes when the price that its smallest fill forces on the cell exceeds its
limit. A splittable block keeps a share that loses while its other shares could carry it: while a lot's loss is at
most ``qmin - 1`` times the gain of a lot of its best share.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.tables import Axis, Flags, Groups, Hourly, Ints, Orders, Stacks, ranges


@dataclass(frozen=True)
class Runs:
    """Each start of each block, as the periods ``[first, last)``."""

    order: Ints
    first: Ints
    last: Ints


@dataclass(frozen=True)
class Alternatives:
    """One cell for one run each."""

    run: Ints
    cell: Ints
    cap: Ints

    def kept(self, chosen: Flags) -> "Alternatives":
        """Return those that are marked."""
        return Alternatives(self.run[chosen], self.cell[chosen], self.cap[chosen])


def expand(runs: Runs, stacks: Stacks, orders: Orders, compatible: Flags) -> Alternatives:
    """Return every compatible cell of every run that has any capacity, before pruning by price."""
    row, cells = np.nonzero(compatible)
    begin = np.searchsorted(row, np.arange(len(compatible) + 1))
    needs = orders.needs[runs.order]
    places, run = ranges(begin[needs], begin[needs + 1])
    cell = cells[places]
    cap = np.minimum(_room(stacks.capacity, runs)[_span(runs)[run], cell], orders.qmax[runs.order[run]])
    some = cap >= 1
    return Alternatives(run[some], cell[some], cap[some])


def groups(alternatives: Alternatives, runs: Runs, axis: Axis, stacks: Stacks, orders: Orders) -> Groups:
    """Return the groups that remain after pruning."""
    surplus = _surplus(runs, alternatives.run, alternatives.cell, axis, stacks, orders)
    order = runs.order[alternatives.run]
    single = orders.single_site[order]
    worth = surplus >= 0
    best = np.full(len(runs.order), -1, dtype=np.int64)
    np.maximum.at(best, alternatives.run, surplus)
    carried = -surplus <= (orders.qmin[order] - 1) * best[alternatives.run]
    keep = np.where(single, worth & (alternatives.cap >= orders.qmin[order]), best[alternatives.run] >= 0)
    kept = alternatives.kept(keep & (worth | (carried & ~single)))
    lots = np.bincount(kept.run, weights=kept.cap, minlength=len(runs.order)).astype(np.int64)
    kept = kept.kept(lots[kept.run] >= orders.qmin[runs.order[kept.run]])
    single = orders.single_site[runs.order[kept.run]]
    new = np.ones(len(kept.run), dtype=bool)
    new[1:] = single[1:] | (kept.run[1:] != kept.run[:-1])
    head = np.flatnonzero(new)
    return Groups(
        order=runs.order[kept.run[head]],
        first=runs.first[kept.run[head]],
        last=runs.last[kept.run[head]],
        begin=np.append(head, len(kept.run)),
        cell=kept.cell,
        cap=kept.cap,
    )


def hourly(stacks: Stacks, orders: Orders, compatible: Flags) -> Hourly:
    """Return the choices of hourly orders."""
    own = np.flatnonzero(~orders.block)
    row, cells = np.nonzero(compatible)
    begin = np.searchsorted(row, np.arange(len(compatible) + 1))
    period, owner = ranges(orders.first[own], orders.last[own])
    order = own[owner]
    places, choice = ranges(begin[orders.needs[order]], begin[orders.needs[order] + 1])
    order, period, cell = order[choice], period[choice], cells[places]
    cap = np.minimum(stacks.capacity[cell, period], orders.qmax[order])
    good = (cap >= 1) & (stacks.reserve[cell, period, 0] <= orders.limit[order])
    order, period, cell = order[good], period[good], cell[good]
    return Hourly(order, period, cell, cap[good], orders.qmax[order])


def _span(runs: Runs) -> Ints:
    """Return for each run the place of its (first, last) among the distinct ones."""
    return np.unique(np.stack([runs.first, runs.last]), axis=1, return_inverse=True)[1].reshape(-1)


def _room(capacity: Ints, runs: Runs) -> Ints:
    """Return, by distinct (first, last) and cell, the least capacity between the two."""
    spans = np.unique(np.stack([runs.first, runs.last]), axis=1)
    room = np.zeros((spans.shape[1], len(capacity)), dtype=np.int64)
    for place, (first, last) in enumerate(spans.T):
        room[place] = capacity[:, first:last].min(axis=1)
    return room


def _surplus(runs: Runs, run: Ints, cell: Ints, axis: Axis, stacks: Stacks, orders: Orders) -> Ints:
    """Return what a lot gains at the price that the smallest fill of its block forces on the cell."""
    order = runs.order[run]
    least = np.where(orders.single_site[order], orders.qmin[order], 1)
    cost = np.zeros(len(run), dtype=np.int64)
    for lots in np.unique(least):
        paid = np.zeros((stacks.capacity.shape[0], stacks.capacity.shape[1] + 1), dtype=np.int64)
        np.cumsum(stacks.reserve_of(int(lots)) * axis.hours, axis=1, out=paid[:, 1:])
        here = least == lots
        cost[here] = paid[cell[here], runs.last[run[here]]] - paid[cell[here], runs.first[run[here]]]
    return orders.limit[order] * orders.hours[order] - cost
