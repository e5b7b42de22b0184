"""The search for a large book: relaxation, dive, waves of neighbourhoods, and blocks given up until prices are strict.

Everything counts passes, nodes and choices, never seconds. The waves may be worked on by anybody: ``run`` gets a
state and the batches of a wave and returns their answers in order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from exchange.clearing.book import Document
from exchange.clearing.large import neighbourhoods, pricing
from exchange.clearing.large import program as programs
from exchange.clearing.large.cuts import Cutter
from exchange.clearing.large.dive import Dive, Pace
from exchange.clearing.large.division import Divider
from exchange.clearing.large.insertion import Inserter
from exchange.clearing.large.market import Market
from exchange.clearing.large.neighbourhoods import Answer, Batch, Effort, Planner, Run
from exchange.clearing.large.pricing import Intervals
from exchange.clearing.large.program import Part, Program
from exchange.clearing.large.root import Root, Rounds
from exchange.clearing.large.state import State, losses, paid
from exchange.clearing.large.tables import Flags, Floats, Ints
from exchange.clearing.solver import Relaxation, Solution, Solver

SHORT = Pace(solves=0)
# After blocks were given up, for the cells where they ran.
REPAIR = Effort(choices=2_000, reach=0.02, gap=0.003)


# Small batches first: they are cheap, and follow where the relaxation differs.
CELLS = Effort(choices=600, reach=0.06)
# Then what they leave undecided, as one program.
CORE = Effort(core=True, reach=0.0, gap=0.001)
# And larger batches, with choices that the relaxation does not favour.
AROUND = Effort(choices=1_500, reach=0.03, gap=0.002)

ROUGH = replace(CELLS, reach=0.01, gap=0.02)

GAP = 1e-3  # above the welfare: what is worth less is not looked for in books with few integral columns
# Of those the cells, shared among workers; then what the sharpened root leaves undecided; then all as one program.
WHOLE = (
    ROUGH,
    Effort(core=True, reach=0.005, nodes=20, gap=GAP / 2),
    Effort(choices=2**31, reach=1e12, nodes=2_000, gap=GAP),  # JSON knows no infinity
)


@dataclass(frozen=True)
class Limits:
    """Where the search of a large book stops."""

    waves: tuple[Effort, ...] = (CELLS, CORE)
    larger: tuple[Effort, ...] = (AROUND,)  # after them, of books too large for the whole program
    whole_binaries: int = 6_000
    dive_groups: int = 150_000  # above this even a relaxation solved again costs too much: the first one is rounded
    pace: Pace = field(default_factory=Pace)
    rounds: Rounds = field(default_factory=Rounds)
    cuts: int = 4  # rounds; each costs about a quarter of the relaxation
    repairs: int = 3
    insertions: int = 5


BRIEF = Limits(waves=(ROUGH,), larger=(), repairs=0)
QUICK = Limits(waves=(CELLS,), larger=())
STANDARD = Limits()
THOROUGH = Limits(
    larger=(replace(CORE, reach=0.01), *[replace(AROUND, choices=2_500, nodes=5, gap=0.001)] * 3), insertions=20
)


@dataclass
class Stats:
    """What the search did, for the round's record."""

    method: str = "relaxation"
    relaxation: float = 0.0  # the solver's objective, in micros: a hint
    sharpened: float = 0.0  # the same after cuts
    waves: list[int] = field(default_factory=list)  # welfare after each, in micros
    drops: int = 0
    insertions: int = 0

    def to_document(self) -> Document:
        """Return the counts as JSON."""
        return {"method": self.method, "waves": self.waves, "drops": self.drops, "insertions": self.insertions}


@dataclass(frozen=True)
class Found:
    """An allocation with its prices' intervals, the lower ends that hurt nobody, and the relaxation's duals."""

    state: State
    intervals: Intervals
    floors: Ints
    duals: Ints


class Search:
    """One search over one market."""

    def __init__(self, market: Market, solver: Solver, limits: Limits, run: Run | None = None) -> None:
        self.market = market
        self.solver = solver
        self.limits = limits
        self.stats = Stats()
        self._run = run or self._here

    def run(self) -> Found:
        """Return the best strict allocation found; with nothing to sell or buy, the empty one."""
        program = programs.build(
            Part(self.market, self.market.groups, self.market.hourly, self.market.stacks.lots), integral=False
        )
        relaxation = self.solver.relaxation(program.arrays)
        solution = relaxation.solve()
        values = solution.within(program.arrays)
        if values is None or len(solution.duals) != len(program.arrays.row_lower):
            allowed = _sites(self.market, np.zeros(len(self.market.hourly)))
            nobody = np.zeros(len(self.market.groups.cell), dtype=np.int64)
            return self._priced(Divider(self.market, self.solver, allowed=allowed), nobody)
        self.stats.relaxation = self.stats.sharpened = solution.objective * program.unit
        duals = program.duals(np.asarray(solution.duals))
        pace = self.limits.pace if self._solves_again else SHORT
        if self._solves_again:
            solution = self._sharpen(program, relaxation, solution)
        values = solution.within(program.arrays)
        assert values is not None, "a solution without values sharpens nothing"
        lots = Dive(program, relaxation, pace=pace).run(values)
        del relaxation  # its factors take as much memory as everything else, and nothing asks it again
        divider = Divider(self.market, self.solver, allowed=_sites(self.market, values[program.fills]))
        state = _filled_up(divider.divide(lots))
        planner = Planner(program, values, np.asarray(solution.costs))
        state = self._improve(program, planner, divider.divide(state.lots))
        return self._priced(divider, state.lots, duals=duals, planner=planner)

    @property
    def _solves_again(self) -> bool:
        return len(self.market.groups) <= self.limits.dive_groups

    def _sharpen(self, program: Program, relaxation: Relaxation, solution: Solution) -> Solution:
        """Return the solution after rounds of cuts, which stay in the relaxation."""
        cutter = Cutter(program)
        for _ in range(self.limits.cuts):
            values = solution.within(program.arrays)
            rows = None if values is None else cutter.cuts(values)
            if rows is None:
                break
            relaxation.add_rows(rows)
            found = relaxation.solve()
            if found.within(program.arrays) is None or len(found.costs) != len(program.arrays.objective):
                break
            solution = found
        self.stats.sharpened = solution.objective * program.unit
        return solution

    def _improve(self, program: Program, planner: Planner, state: State) -> State:
        if len(self.market.groups) <= self.limits.whole_binaries:
            self.stats.method = "whole program"
            return self._whole(program, planner, state)
        self.stats.method = "neighbourhoods"
        for number, effort in enumerate((*self.limits.waves, *self.limits.larger)):
            state = self._wave(planner, state, number, effort)
        return state

    def _whole(self, program: Program, planner: Planner, state: State) -> State:
        """Search until nothing can be worth more than ``GAP`` above the state, by what the solver says."""
        root = Root(program, self.solver)
        sharpened = root.sharpen(self.limits.rounds) or planner
        self.stats.sharpened = min(self.stats.sharpened, root.bound)
        for number, effort in enumerate(WHOLE):
            state = self._wave(sharpened, state, number, effort)
            if root.bound <= state.welfare * (1 + GAP):
                break
        return state

    def _wave(self, planner: Planner, state: State, number: int, effort: Effort) -> State:
        state = _filled_up(self._computed(state, planner.plan(state, wave=number, effort=effort), effort))
        self.stats.waves.append(state.welfare)
        return state

    def _computed(self, state: State, batches: Sequence[Batch], effort: Effort) -> State:
        return neighbourhoods.merged(state, self._run(state, batches, effort))

    def _here(self, state: State, batches: Sequence[Batch], effort: Effort) -> Iterable[Answer | None]:
        return (neighbourhoods.solve(self.market, state, batch, effort, self.solver) for batch in batches)

    def _priced(
        self, divider: Divider, lots: Ints, *, duals: Ints | None = None, planner: Planner | None = None
    ) -> Found:
        """Give up blocks until prices hurt nobody, then put back what the given-up ones made room for."""
        accepting = _Accepting(self.market, divider)
        state = accepting.settle(lots)
        if planner is not None and self._solves_again:
            state = self._repair(accepting, planner, state)
        self.stats.drops = accepting.drops
        if accepting.drops:
            state = self._put_back(accepting, state)
        state = self._without_idle_blocks(accepting, state)
        found = accepting.intervals(state)
        cheapest = self.market.stacks.reserve[:, :, 0]
        return Found(state, found, accepting.floors(state, found), cheapest if duals is None else duals)

    def _without_idle_blocks(self, accepting: "_Accepting", state: State) -> State:
        """Give up the blocks that add nothing to the welfare: all that could be at once or, if not, the latest."""
        for idle in accepting.idle(state, at_most=self.limits.insertions):
            lots = np.where(idle[self.market.groups.order[self.market.groups.group]], 0, state.lots)
            without = accepting.divide(lots)
            if without.welfare >= state.welfare and accepting.hurts_nobody(without):
                state = without
        return state

    def _repair(self, accepting: "_Accepting", planner: Planner, state: State) -> State:
        """Search again where blocks were given up; keep what is better at strict prices.

        The place that hurt a block is barred, and the block after its second place.
        """
        groups = self.market.groups
        best, given_up = state, accepting.given_up
        barred = np.zeros(len(groups), dtype=bool)
        for number in range(self.limits.repairs):
            if not given_up:
                break
            barred |= np.isin(groups.order, groups.order[given_up]) & np.isin(groups.order, groups.order[barred])
            barred[given_up] = True
            batches = planner.plan(best, wave=number, effort=REPAIR, barred=barred)
            cells = groups.cell[np.isin(groups.group, given_up)]
            around = [batch for batch in batches if np.isin(groups.cell[batch.alternatives], cells).any()]
            accepting.given_up = []
            tried = accepting.settle(self._computed(best, around, REPAIR).lots)
            given_up = accepting.given_up
            if tried.welfare > best.welfare:
                best = tried
        return best

    def _put_back(self, accepting: "_Accepting", state: State) -> State:
        best, left = state, self.limits.insertions
        for order in _rejected(state, accepting.intervals(state)):
            if not left:
                break
            changed = best.copy()
            if not Inserter(changed).insert(int(order)):
                continue
            left -= 1
            tried = accepting.divide(changed.lots)
            if tried.welfare > best.welfare and accepting.hurts_nobody(tried):
                best = tried
                self.stats.insertions += 1
        return best


class _Accepting:
    """What prices the divisible rest and the blocks accept; hourly demand that is not convex is exempt.

    A single-site hourly order takes one cell where it might want several, and an order of a buyer whose budget is
    spent is barred: neither may bound a price from below. What that leaves of the strict rules is reported.
    """

    def __init__(self, market: Market, divider: Divider) -> None:
        self.market = market
        self.drops = 0
        self.given_up: list[int] = []  # groups
        self._divider = divider
        # With one cell to take there is nothing to choose, and the order is as convex as any.
        choice = market.compatible.sum(axis=1)[market.orders.needs] > 1
        self._exempt = market.orders.single_site & ~market.orders.block & choice

    def divide(self, lots: Ints) -> State:
        return self._divider.divide(lots)

    def intervals(self, state: State) -> Intervals:
        return pricing.intervals(state, exempt=self._exempt)

    def hurts_nobody(self, state: State) -> bool:
        found = self.intervals(state)
        return found.is_open and pricing.hurt(state, found.lo).nobody

    def idle(self, state: State, *, at_most: int) -> list[Flags]:
        """Return the running blocks that pay all of their limit at ``lo``: together, then each alone, the latest first.

        Prices in their intervals are duals of the divisible rest, so that no other block can be given up at no loss.
        """
        marks = (state.running() >= 0) & (losses(self.market, state.lots, self.intervals(state).lo) >= 0)
        places = np.flatnonzero(marks)[::-1][:at_most]
        return [marks, *(np.arange(len(marks)) == place for place in places)] if len(places) else []

    def floors(self, state: State, found: Intervals) -> Ints:
        """Return the lower ends of prices that hurt nobody: ``lo``, or nearer to the sellers' where that hurts."""
        floors = np.where(found.lo <= found.hi, found.lo, np.maximum(found.pi_min, np.minimum(found.lo, found.hi)))
        while (used := pricing.used_by(state, pricing.hurt(state, floors))).any():
            floors = np.where(used, found.pi_min, floors)
        return floors

    def settle(self, lots: Ints) -> State:
        """Return the division around the blocks that stay; every round gives something up, so it ends."""
        lots = lots.copy()
        while True:
            state = self.divide(lots)
            suffering = pricing.hurt(state, self.intervals(state).lo)
            if suffering.nobody:
                return state
            if bool((suffering.blocks > 0).any()):
                self._drop_worst(state, suffering.blocks, lots)
            else:
                self._cut_spending(state, suffering.buyers[0], lots)

    def _drop_worst(self, state: State, losses: Ints, lots: Ints) -> None:
        """Drop the worst-hurt block, and others that share no supply with one dropped before them."""
        groups = self.market.groups
        bad = np.flatnonzero(losses > 0)
        touched = np.zeros(state.used.shape, dtype=bool)
        running = state.running()
        for order in bad[np.lexsort((-bad, -losses[bad]))]:
            group = running[order]
            own = np.arange(groups.begin[group], groups.begin[group + 1])
            own = own[lots[own] > 0]
            run = slice(int(groups.first[group]), int(groups.last[group]))
            if not touched[groups.cell[own], run].any():
                touched[groups.cell[own], run] = True
                lots[own] = 0
                self.given_up.append(int(group))
                self.drops += 1

    def _cut_spending(self, state: State, buyer: str, lots: Ints) -> None:
        """Drop the latest order of a buyer beyond its budget, blocks before hourly ones."""
        groups, hourly = self.market.groups, self.market.hourly
        own = np.array([order.buyer == buyer for order in self.market.book.orders])
        order = groups.order[groups.group]
        placed = np.flatnonzero((state.lots > 0) & own[order])
        self.drops += 1
        if len(placed):
            lots[placed[order[placed] == order[placed].max()]] = 0
            return
        filled = np.flatnonzero((state.fills > 0) & own[hourly.order])
        last = hourly.order[filled].max()
        self._exempt[last] = True
        self._divider.bar(hourly.order == last)


def _filled_up(state: State) -> State:
    """Return the state with each idle block that gains at the margin put in, the best first."""
    none = np.zeros(len(state.market.book.orders), dtype=bool)
    inserter = Inserter(state.copy())
    for order in _rejected(state, pricing.intervals(state, exempt=none)):
        inserter.insert(int(order))
    return inserter.state


def _sites(market: Market, fills: Floats) -> Flags:
    """Return the hourly choices that may be used: single-site orders have the one cell that the relaxation favours."""
    hourly, orders = market.hourly, market.orders
    single = orders.single_site[hourly.order]
    allowed = ~single
    if not single.any():
        return allowed
    cells = len(market.cells)
    key, row = np.unique(hourly.order[single] * cells + hourly.cell[single], return_inverse=True)
    got = np.bincount(row, weights=fills[single])
    room = np.bincount(row, weights=hourly.cap[single])
    ranked = np.lexsort((key % cells, -room, -got, key // cells))
    order = key[ranked] // cells
    first = np.ones(len(order), dtype=bool)
    first[1:] = order[1:] != order[:-1]
    allowed[single] = np.isin(hourly.order[single] * cells + hourly.cell[single], key[ranked[first]])
    return allowed


def _rejected(state: State, found: Intervals) -> Ints:
    """Return the idle blocks that the prices would serve at a gain, by falling gain."""
    market, groups = state.market, state.market.groups
    prices = np.where(found.traded, found.lo, market.stacks.reserve[:, :, 0])
    order = groups.order[groups.group]
    gain = groups.cap * (
        (market.orders.limit * market.orders.hours)[order] - paid(market, prices, groups.group, groups.cell)
    )
    best = np.zeros(len(market.book.orders), dtype=np.int64)
    np.maximum.at(best, order, gain)
    best[state.running() >= 0] = 0
    idle = np.flatnonzero(best > 0)
    return idle[np.lexsort((idle, -best[idle]))]
