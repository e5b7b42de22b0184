"""Prove books of about 5,000 binaries to 0.1 % and print what that takes against the root relaxation.

    python -m benchmarks.clearing.proven [SEED ...]

A book has 1,200 orders, 150 offers and 48 hours on a grid of four. Times are CPU seconds of one thread. The relaxation
is that which clearing.md writes, with a binary for each group; the search is timed from its own relaxation to the end
of its last wave, and goes without pricing. It ends where the cut root is worth at most 0.1 % more than what was found,
or with the whole program, of which the solver says whether that is so.
"""

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.books import recipe
from benchmarks.books.recipe import Size
from exchange.clearing.large import market as markets
from exchange.clearing.large import program as programs
from exchange.clearing.large import search
from exchange.clearing.large.neighbourhoods import Planner
from exchange.clearing.large.program import Part, Program
from exchange.clearing.large.search import GAP
from exchange.clearing.large.state import State
from exchange.clearing.solver import Arrays, Highs, Solution

SIZE = Size(orders=1_200, offers=150, slots=48, grid=4)


class Watched(Highs):
    """The solver, keeping what it said last."""

    last: Solution

    def improve(self, arrays: Arrays, start: NDArray[np.float64], *, nodes: int, gap: float) -> Solution:
        """Solve the integer program and keep the answer."""
        self.last = super().improve(arrays, start, nodes=nodes, gap=gap)
        return self.last


class Timed(search.Search):
    """The search, telling when its last wave ended and what the solver said of it."""

    solver: Watched
    ended: float
    said: str

    def _improve(self, program: Program, planner: Planner, state: State) -> State:
        state = super()._improve(program, planner, state)
        self.ended = time.process_time()
        above = self.stats.sharpened / state.welfare - 1
        self.said = f"root {above:.3%} above" + (f", whole program {self.solver.last.status}" if above > GAP else "")
        return state


def main() -> None:
    """Print one line for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", type=int, nargs="*", default=[0, 1, 2, 3], metavar="SEED")
    for seed in parser.parse_args().seeds:
        market = markets.build(recipe.book(SIZE, seed))
        assert market is not None, "the book does not fit into arrays"
        program = programs.build(Part(market, market.groups, market.hourly, market.stacks.lots), integral=True)
        relaxation = Highs().relaxation(program.arrays)
        began = time.process_time()
        relaxation.solve()
        relaxed = time.process_time() - began
        timed = Timed(market, Watched(), search.STANDARD)
        began = time.process_time()
        timed.run()
        seconds = timed.ended - began
        waves = ", ".join(f"{welfare / 1e6:,.2f}" for welfare in timed.stats.waves)
        print(
            f"seed {seed}: {int(program.arrays.integral.sum()):,} binaries, relaxation {relaxed:.2f} s, "
            f"search {seconds:.1f} s = {seconds / relaxed:.0f} x, {timed.said}; waves {waves}",
            flush=True,
        )


if __name__ == "__main__":
    main()
