"""Large-neighbourhood search: free what is in some cells, solve that part as an integer program, keep what is better.

A wave splits the cells into batches and gives each order that could move to exactly one of them, so the batches of a
wave share neither supply nor demand: each is a pure function of the allocation before the wave, whoever computes it,
and their answers add up in any order. Or a wave is one batch, the core: over all cells, what relaxation and allocation
use, less the blocks on which both agree (as in Danna, Rothberg and Le Pape, Exploring relaxation induced neighborhoods
to improve MIP solutions, 2005). It moves the blocks that are spread over the cells of several batches.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from exchange.clearing.large import program as programs
from exchange.clearing.large.market import Market
from exchange.clearing.large.program import Part, Program
from exchange.clearing.large.state import State, cost, left_over, usage
from exchange.clearing.large.tables import Flags, Floats, Groups, Hourly, Ints, ranges
from exchange.clearing.solver import Solver

WHOLE = 1e-6  # of a lot


@dataclass(frozen=True)
class Effort:
    """How much a wave tries: choices of cells together, how far from the relaxation, and how long each program."""

    reach: float  # a choice counts as near while it loses at most this share of an average block's value
    choices: int = 0  # near choices of one batch
    nodes: int = 1
    gap: float = 0.005
    core: bool = False  # one batch over all cells, without the blocks that run as the relaxation has them


@dataclass(frozen=True)
class Batch:
    """One part: places of alternatives, and places of hourly choices with what their orders may take in the period."""

    alternatives: Ints
    choices: Ints
    most: Ints


@dataclass(frozen=True)
class Answer:
    """What a batch's places hold when it is done."""

    batch: Batch
    lots: Ints
    fills: Ints
    gain: int  # micros of welfare


Run = Callable[[State, Sequence[Batch], Effort], Iterable[Answer | None]]


class Planner:
    """Splits a market into batches, with what the relaxation says of each choice."""

    def __init__(self, program: Program, values: Floats, costs: Floats) -> None:
        self.market = market = program.part.market
        groups, hourly = market.groups, market.hourly
        self._order = groups.order[groups.group]
        # What taking a choice whole would lose at the prices of the relaxation, in the program's money.
        self._block_loss = np.maximum(-costs[program.lots], 0) * groups.cap
        self._hourly_loss = np.maximum(-costs[program.fills], 0) * hourly.cap
        self._relaxed = values[program.lots]  # lots
        self._worth = (market.orders.limit * market.orders.hours)[self._order] / program.unit
        worth = self._relaxed * self._worth
        running = max(1.0, float(np.add.reduceat(values[program.lots], groups.begin[:-1]).astype(bool).sum()))
        self._mean = float(worth.sum()) / running

    def plan(self, state: State, *, wave: int, effort: Effort, barred: Flags | None = None) -> list[Batch]:
        """Return the batches of a wave, by rising place of their first cell; without the idle groups barred."""
        near = (self._block_loss <= effort.reach * self._mean) | (state.lots > 0)
        if barred is not None:
            near &= ~barred[self.market.groups.group] | (state.lots > 0)
        near_hourly = (self._hourly_loss <= effort.reach * self._mean) | (state.fills > 0)
        if effort.core:
            return self._core(state, near, near_hourly)
        batch_of = self._clusters(state, near, near_hourly, wave=wave, most=effort.choices)
        home = self._homes(state, near, batch_of)
        groups, hourly = self.market.groups, self.market.hourly
        own = home[self._order] == batch_of[groups.cell]
        wanted = np.zeros(len(groups), dtype=bool)
        wanted[groups.group[near & own]] = True
        own &= wanted[groups.group]
        share, most = self._hourly_shares(state, near_hourly, batch_of)
        batches = []
        for batch in range(int(batch_of.max()) + 1):
            alternatives = np.flatnonzero(own & (batch_of[groups.cell] == batch))
            choices = np.flatnonzero(share & (batch_of[hourly.cell] == batch))
            if len(alternatives):
                batches.append(Batch(alternatives, choices, most[choices]))
        return batches

    def _core(self, state: State, near: Flags, near_hourly: Flags) -> list[Batch]:
        """Return what is left to decide of the whole market, in one batch: of blocks that run as relaxed, nothing."""
        apart = np.bincount(self._order, weights=np.abs(self._relaxed - state.lots))
        alternatives = np.flatnonzero(near & (apart > WHOLE)[self._order])
        choices = np.flatnonzero(near_hourly)
        return [Batch(alternatives, choices, self.market.hourly.most[choices])] if len(alternatives) else []

    def _clusters(self, state: State, near: Flags, near_hourly: Flags, *, wave: int, most: int) -> Ints:
        """Return the batch of each cell: cells stay together that many orders could choose between.

        An order counts for more, the more of its value the relaxation has elsewhere than the state.
        """
        market = self.market
        groups, hourly = market.groups, market.hourly
        cells = len(market.cells)
        wish = np.zeros((len(market.book.orders), cells))
        wish[self._order[near], groups.cell[near]] = 1
        wish[hourly.order[near_hourly], hourly.cell[near_hourly]] = 1
        apart = np.abs(self._relaxed - state.lots) * self._worth / (self._mean or 1.0)
        # Whole weights: their products have exact sums, whatever the order in which they are added up.
        weight = np.rint(4 * np.sqrt(1 + np.bincount(self._order, weights=apart, minlength=len(wish))))
        wish *= weight[:, None]
        ties = wish.T @ wish
        np.fill_diagonal(ties, 0)
        size = np.bincount(groups.cell[near], minlength=cells)
        astray = np.bincount(groups.cell, weights=apart, minlength=cells)
        seeds = np.roll(np.lexsort((-size, -astray)), -((wave * 37) % cells))
        free = np.ones(cells, dtype=bool)
        batch_of = np.zeros(cells, dtype=np.int64)
        batch = 0
        for seed in seeds:
            if not free[seed]:
                continue
            cell, total = int(seed), 0
            pull = np.zeros(cells)
            while True:
                free[cell], batch_of[cell] = False, batch
                total += int(size[cell])
                pull += ties[cell]
                fitting = free & (pull > 0) & (total + size <= most)
                if not fitting.any():
                    break
                cell = int(np.where(fitting, pull / (1 + size), -1.0).argmax())
            batch += 1
        return batch_of

    def _homes(self, state: State, near: Flags, batch_of: Ints) -> Ints:
        """Return the batch that may move each block: where all its cells are; where the relaxation has an idle one."""
        market, groups = self.market, self.market.groups
        count = int(batch_of.max()) + 1
        home = np.full(len(market.book.orders), -1, dtype=np.int64)
        idle = near & ~np.isin(self._order, self._order[state.lots > 0])
        key, row = np.unique(self._order[idle] * count + batch_of[groups.cell[idle]], return_inverse=True)
        lots = np.bincount(row, weights=self._relaxed[idle])
        best = np.lexsort((key % count, -np.bincount(row), -lots, key // count))
        owner = key[best] // count
        first = np.ones(len(owner), dtype=bool)
        first[1:] = owner[1:] != owner[:-1]
        home[owner[first]] = (key[best] % count)[first]
        taken = np.flatnonzero(state.lots)
        lowest = np.full(len(home), count, dtype=np.int64)
        highest = np.full(len(home), -1, dtype=np.int64)
        np.minimum.at(lowest, self._order[taken], batch_of[groups.cell[taken]])
        np.maximum.at(highest, self._order[taken], batch_of[groups.cell[taken]])
        together = lowest == highest
        home[together] = lowest[together]
        return home

    def _hourly_shares(self, state: State, near: Flags, batch_of: Ints) -> tuple[Flags, Ints]:
        """Return which hourly choices may move, and what their orders may take there in the period.

        What an order has in a batch it may move about in it; what it lacks goes to the batch of its first choice.
        """
        market, hourly = self.market, self.market.hourly
        periods, count = len(market.axis.begin), int(batch_of.max()) + 1
        slot = hourly.order * periods + hourly.period
        place = slot * count + batch_of[hourly.cell]
        _, first, row = np.unique(slot, return_index=True, return_inverse=True)
        missing = market.orders.qmax[hourly.order[first]] - np.bincount(row, weights=state.fills).astype(np.int64)
        loss = np.where(near, self._hourly_loss, np.inf)
        ranked = np.lexsort((np.arange(len(slot)), loss, slot))
        heads = ranked[np.searchsorted(slot[ranked], slot[first])]
        extra = np.zeros(len(slot), dtype=np.int64)
        _, at = np.unique(place, return_inverse=True)
        held = np.bincount(at, weights=state.fills).astype(np.int64)
        here = at[heads]
        bonus = np.zeros(len(held), dtype=np.int64)
        np.add.at(bonus, here, missing)
        extra = held[at] + bonus[at]
        return near & (extra > 0), extra


def solve(market: Market, state: State, batch: Batch, effort: Effort, solver: Solver) -> Answer | None:
    """Return a better use of a batch's choices than the state's, None where the program finds none."""
    groups, head = _groups(market, batch.alternatives)
    before = Answer(batch, state.lots[batch.alternatives], state.fills[batch.choices], 0)
    others = state.used - _used(market, before)
    left = left_over(market, others)
    program = programs.build(Part(market, groups, _hourly(market, batch), left), integral=True)
    solution = solver.improve(
        program.arrays, _start(program, before, head, state.used - others), nodes=effort.nodes, gap=effort.gap
    )
    values = solution.within(program.arrays)
    if values is None:
        return None
    found = Answer(
        batch,
        np.rint(values[program.lots] * program.scale).astype(np.int64),
        np.floor(values[program.fills] + 1e-4).astype(np.int64),
        0,
    )
    used = others + _used(market, found)
    if not _fits(market, groups, head, found) or bool((used > market.stacks.capacity).any()):
        return None
    gain = _value(market, found) - _value(market, before) - cost(market, used) + cost(market, state.used)
    return Answer(batch, found.lots, found.fills, gain) if gain > 0 else None


def _used(market: Market, answer: Answer) -> Ints:
    """Return the lots that an answer uses by [cell, period]."""
    groups, hourly, batch = market.groups, market.hourly, answer.batch
    used = np.zeros(market.stacks.capacity.shape, dtype=np.int64)
    on = np.flatnonzero(answer.lots)
    taken = batch.alternatives[on]
    period, place = ranges(groups.first[groups.group[taken]], groups.last[groups.group[taken]])
    np.add.at(used, (groups.cell[taken][place], period), answer.lots[on][place])
    np.add.at(used, (hourly.cell[batch.choices], hourly.period[batch.choices]), answer.fills)
    return used


def _value(market: Market, answer: Answer) -> int:
    """Return what an answer is worth at the limits, in micros."""
    orders, hourly = market.orders, market.hourly
    order = market.groups.order[market.groups.group[answer.batch.alternatives]]
    choices = answer.batch.choices
    blocks = answer.lots * orders.limit[order] * orders.hours[order]
    hours = market.axis.hours[hourly.period[choices]]
    return int(blocks.sum()) + int((answer.fills * orders.limit[hourly.order[choices]] * hours).sum())


def _fits(market: Market, groups: Groups, head: Ints, answer: Answer) -> bool:
    """Tell whether an answer keeps to levels, single starts and the quantities of hourly orders."""
    orders, batch = market.orders, answer.batch
    level = np.add.reduceat(answer.lots, head)
    on = np.flatnonzero(level)
    order = groups.order[on]
    if len(np.unique(order)) < len(on) or bool((answer.lots > groups.cap).any() or (answer.lots < 0).any()):
        return False
    if bool(((level[on] < orders.qmin[order]) | (level[on] > orders.qmax[order])).any()):
        return False
    slot = market.hourly.order[batch.choices] * len(market.axis.begin) + market.hourly.period[batch.choices]
    _, first, row = np.unique(slot, return_index=True, return_inverse=True)
    got = np.bincount(row, weights=answer.fills) if len(row) else np.zeros(0)
    return bool((answer.fills >= 0).all() and (got <= batch.most[first]).all())


def merged(state: State, answers: Iterable[Answer | None]) -> State:
    """Return the state with the answers of one wave."""
    lots, fills = state.lots.copy(), state.fills.copy()
    for answer in answers:
        if answer is not None:
            lots[answer.batch.alternatives] = answer.lots
            fills[answer.batch.choices] = answer.fills
    return State(state.market, lots, fills, usage(state.market, lots, fills))


def _groups(market: Market, alternatives: Ints) -> tuple[Groups, Ints]:
    """Return the groups of some alternatives, and where each begins among them."""
    groups = market.groups
    group = groups.group[alternatives]
    new = np.ones(len(group), dtype=bool)
    new[1:] = group[1:] != group[:-1]
    head = np.flatnonzero(new)
    own = group[head]
    part = Groups(
        order=groups.order[own],
        first=groups.first[own],
        last=groups.last[own],
        begin=np.append(head, len(group)),
        cell=groups.cell[alternatives],
        cap=groups.cap[alternatives],
    )
    return part, head


def _hourly(market: Market, batch: Batch) -> Hourly:
    hourly, choices = market.hourly, batch.choices
    return Hourly(
        order=hourly.order[choices],
        period=hourly.period[choices],
        cell=hourly.cell[choices],
        cap=np.minimum(hourly.cap[choices], batch.most),
        most=batch.most,
    )


def _start(program: Program, before: Answer, head: Ints, own: Ints) -> Floats:
    """Return the present answer to a batch's program; ``own`` are the lots that it uses."""
    part = program.part
    values = np.zeros(len(program.arrays.objective))
    values[program.lots] = before.lots / program.scale
    values[: len(part.groups)] = np.add.reduceat(before.lots, head) > 0
    values[program.fills] = before.fills
    reach = np.cumsum(part.left, axis=2)
    values[program.sold] = np.clip(own[:, :, None] - reach + part.left, 0, part.left)[program.supply]
    return values
