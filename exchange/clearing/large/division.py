"""The divisible rest: what hourly orders take of the supply that the blocks leave, the best division and no other.

With the blocks fixed, each period is a transportation problem by itself, so a vertex of its linear program is
integral, and prices with ``lo <= hi`` exist for it. Among equal limits the earlier order goes first: a bonus of less
than half a unit of money, by rank, tips the balance and nothing else, because an exchange along a cycle of the
network gives lots to one order and takes them from one other.
"""

import numpy as np

from exchange.clearing.large.market import Market
from exchange.clearing.large.program import INFINITY, Matrix, money
from exchange.clearing.large.state import State, dearest, left_over, usage
from exchange.clearing.large.tables import Flags, Ints
from exchange.clearing.solver import Solver


class Divider:
    """Divides the rest for one market, again and again as the blocks change."""

    def __init__(self, market: Market, solver: Solver, *, allowed: Flags | None = None) -> None:
        self.market = market
        self.allowed = np.ones(len(market.hourly), dtype=bool) if allowed is None else allowed
        self._choice = np.flatnonzero(self.allowed)
        self._build(solver)

    def bar(self, choices: Flags) -> None:
        """Let nobody use some choices any more."""
        barred = self._fills[choices[self._choice]]
        if self._program is not None and len(barred):
            self._program.set_upper(barred, np.zeros(len(barred)))

    def _build(self, solver: Solver) -> None:
        market, hourly, choice = self.market, self.market.hourly, self._choice
        base, unit = money(market)
        matrix = Matrix()
        order, period, cell = hourly.order[choice], hourly.period[choice], hourly.cell[choice]
        rank = (len(market.book.orders) - order) / (2.0 * len(market.book.orders) + 2.0)
        self._fills = matrix.add_columns(
            (market.orders.limit[order] - base) / unit + rank, hourly.cap[choice].astype(float)
        )
        key = order * len(market.axis.begin) + period
        _, first, row = np.unique(key, return_index=True, return_inverse=True)
        rows = matrix.add_rows(len(first), -INFINITY, hourly.most[choice][first].astype(float))
        matrix.add_entries(rows[row], self._fills, 1.0)
        wanted = np.zeros(market.stacks.capacity.shape, dtype=bool)
        wanted[cell, period] = True
        balance = np.full(wanted.shape, -1, dtype=np.int64)
        balance[wanted] = matrix.add_rows(int(wanted.sum()), 0.0, 0.0)
        matrix.add_entries(balance[cell, period], self._fills, 1.0)
        self._supply = np.nonzero((market.stacks.lots > 0) & wanted[:, :, None])
        cost = (market.stacks.reserve[self._supply] - base) / unit
        self._sold = matrix.add_columns(-cost, np.zeros(len(cost)))
        matrix.add_entries(balance[self._supply[0], self._supply[1]], self._sold, -1.0)
        self._last = np.zeros(len(cost), dtype=np.int64)
        self._arrays = matrix.arrays() if len(choice) else None
        self._program = solver.relaxation(self._arrays) if self._arrays is not None else None

    def divide(self, lots: Ints) -> State:
        """Return the blocks with the best division of the rest; where the solver fails, hourly orders take nothing."""
        market = self.market
        fills = np.zeros(len(market.hourly), dtype=np.int64)
        blocks = usage(market, lots, fills)
        if self._program is not None and self._arrays is not None:
            left = left_over(market, blocks)[self._supply]
            changed = np.flatnonzero(left != self._last)
            self._program.set_upper(self._sold[changed], left[changed].astype(float))
            self._last = left
            values = self._program.solve().within(self._arrays)
            if values is not None:
                fills[self._choice] = np.floor(values[self._fills] + 1e-4).astype(np.int64)
        state = State(market, lots.copy(), fills, usage(market, lots, fills))
        return _worthwhile(state) if state.is_feasible else State(market, lots.copy(), np.zeros_like(fills), blocks)


def _worthwhile(state: State) -> State:
    """Take away fills above whose limits some lot used there is; a division that is an optimum has none."""
    market, hourly = state.market, state.market.hourly
    while True:
        reserve = dearest(market, state.used)[hourly.cell, hourly.period]
        bad = (state.fills > 0) & (market.orders.limit[hourly.order] < reserve)
        if not bad.any():
            return state
        state.fills[bad] = 0
        state.recount()
