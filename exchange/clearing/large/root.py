"""The root of a small market's whole program: its relaxation with the binaries, and cuts.

Cuts bring it within half a percent of the best allocation. What it says of each choice then leads the neighbourhoods,
and what it is worth tells when they may stop. All of it is floats: it ends a search and proves nothing that is
published.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from exchange.clearing.large import program as programs
from exchange.clearing.large.cuts import Cutter
from exchange.clearing.large.gomory import Amount, Gomory
from exchange.clearing.large.neighbourhoods import Planner
from exchange.clearing.large.program import Program
from exchange.clearing.large.tables import Floats, Ints
from exchange.clearing.solver import Rows, Solver, Status


@dataclass(frozen=True)
class Rounds:
    """How many rounds of cuts the root gets."""

    single: int = 4  # of single rows
    gomory: int = 4  # of the tableau, each with one of single rows after it
    amount: Amount = field(default_factory=Amount)


class Root:
    """The root of a whole program; ``relaxed`` is the program of the search's own relaxation."""

    def __init__(self, relaxed: Program, solver: Solver) -> None:
        self.program = programs.build(relaxed.part, integral=True)
        self._relaxed = relaxed
        self._relaxation = solver.relaxation(self.program.arrays)
        self._column, self._scale = _places(relaxed, self.program)
        self._worth = float("inf")
        self._values: Floats = np.zeros(0)
        self._costs: Floats = np.zeros(0)

    @property
    def bound(self) -> float:
        """What no allocation can be worth more than, in micros: a hint; infinite while nothing is known."""
        return self._worth * self.program.unit

    def sharpen(self, rounds: Rounds) -> Planner | None:
        """Solve it with rounds of cuts; return what it says of each choice, None where the solver says nothing.

        Cuts of single rows know the bounds of a block's shares, those of the tableau see all rows at once: each kind
        finds what the other leaves.
        """
        if not self._solve():
            return None
        cutter, gomory = Cutter(self._relaxed), Gomory(self.program.arrays)
        for _ in range(rounds.single):
            if not self._add(gomory, self._rounded(cutter)):
                break
        for _ in range(rounds.gomory):
            if not self._add(gomory, gomory.cuts(self._relaxation, self._values, amount=rounds.amount)):
                break
            self._add(gomory, self._rounded(cutter))
        return self._planner()

    def _rounded(self, cutter: Cutter) -> Rows | None:
        """Return cuts of single rows, in this program's columns."""
        rows = cutter.cuts(self._values[self._column] * self._scale)
        if rows is None:
            return None
        return replace(rows, index=self._column[rows.index], value=rows.value * self._scale[rows.index])

    def _add(self, gomory: Gomory, rows: Rows | None) -> bool:
        """Add cuts and solve; False where there are none, or the solver says nothing."""
        if rows is None:
            return False
        self._relaxation.add_rows(rows)
        gomory.add(rows)
        return self._solve()

    def _solve(self) -> bool:
        found = self._relaxation.solve()
        values = found.within(self.program.arrays)
        if found.status is not Status.OPTIMAL or values is None or len(found.costs) != len(values):
            return False
        self._worth = min(self._worth, found.objective)
        self._values, self._costs = values, np.asarray(found.costs)
        return True

    def _planner(self) -> Planner:
        """Return what the point says of each choice; what a group's binary loses is shared among its lots."""
        groups, costs = self._relaxed.part.groups, self._costs
        shared = np.zeros(len(self._column))
        apart = self.program.lots >= len(groups)
        shared[self._relaxed.lots[apart]] = (costs[groups.group] / groups.cap)[apart]
        values, own = self._values[self._column] * self._scale, costs[self._column] / self._scale
        return Planner(self._relaxed, values, own + shared)


def _places(relaxed: Program, whole: Program) -> tuple[Ints, Ints]:
    """Return the column of the whole program for each of the relaxed one's, and by what it is multiplied."""
    column = np.zeros(len(relaxed.arrays.objective), dtype=np.int64)
    scale = np.ones(len(column), dtype=np.int64)
    column[relaxed.lots], scale[relaxed.lots] = whole.lots, whole.scale
    column[relaxed.fills], column[relaxed.sold] = whole.fills, whole.sold
    return column, scale
