"""Clear a large published book and print what each step took against the root relaxation.

    python -m benchmarks.clearing.large 6000x400x96-4h [--effort quick] [--pyomo PYTHON] [--plain]

Times are CPU seconds of one thread in one run, so their ratios can be compared. ``--plain`` also solves the
relaxation as clearing.md writes it, with a binary for each group. ``--pyomo`` builds the same arrays with pyomo, in
the environment of the Python that is named.
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.books import published
from exchange.clearing import verify
from exchange.clearing.large import market as markets
from exchange.clearing.large import program as programs
from exchange.clearing.large import publication, search
from exchange.clearing.large.neighbourhoods import Effort, Planner
from exchange.clearing.large.program import Part
from exchange.clearing.large.state import State
from exchange.clearing.solver import Arrays, Highs

EFFORTS = {"brief": search.BRIEF, "quick": search.QUICK, "standard": search.STANDARD, "thorough": search.THOROUGH}
PYOMO_MODEL = Path(__file__).with_name("pyomo_model.py")


class Clock:
    """CPU seconds by step, and their ratio to the relaxation's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.relaxed = 0.0  # micros

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        began = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began

    def show(self, name: str, note: str = "") -> None:
        """Print a step."""
        seconds = self.seconds[name]
        print(f"{name:<28} {seconds:8.2f} s {seconds / self.seconds['root relaxation']:7.2f} x  {note}", flush=True)


class Timed(search.Search):
    """The search, telling what each wave reached."""

    clock: Clock

    def _wave(self, planner: Planner, state: State, number: int, effort: Effort) -> State:
        with self.clock.step("waves"):
            state = super()._wave(planner, state, number, effort)
        self.clock.show("waves", f"after wave {number}: {state.welfare / self.clock.relaxed:.3%} of the relaxation")
        return state


def main() -> None:
    """Print one line per step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", choices=sorted(published.every()))
    parser.add_argument("--effort", choices=sorted(EFFORTS), default="standard")
    parser.add_argument("--bound", type=int, help="the best proven bound in micros, if one is known")
    parser.add_argument("--pyomo", type=Path, metavar="PYTHON")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    book = published.every()[options.book].make()
    clock = Clock()
    with clock.step("expand, prune, merge"):
        market = markets.build(book)
    assert market is not None, "the book does not fit into arrays"
    shape = _root(market, clock)
    clock.show("expand, prune, merge", f"{len(market.every.run):,} -> {len(market.groups.cell):,} alternatives")
    clock.show("build and load", shape)
    clock.show("root relaxation", f"{clock.relaxed / 1e6:,.3f}; {len(market.groups):,} groups")
    _search(market, EFFORTS[options.effort], clock, options.bound)
    # Last, because what they take does not belong to the memory of the engine.
    if options.plain:
        _plain(market, clock)
    if options.pyomo:
        _pyomo(options.pyomo, _program(market, integral=False).arrays, clock)


def _program(market: markets.Market, *, integral: bool) -> programs.Program:
    return programs.build(Part(market, market.groups, market.hourly, market.stacks.lots), integral=integral)


def _root(market: markets.Market, clock: Clock) -> str:
    """Solve the relaxation that every step is compared with; return its shape. Nothing of it stays in memory."""
    with clock.step("build and load"):
        program = _program(market, integral=False)
        relaxation = Highs().relaxation(program.arrays)
    with clock.step("root relaxation"):
        solution = relaxation.solve()
    clock.relaxed = solution.objective * program.unit
    arrays = program.arrays
    return f"{len(arrays.row_lower):,} rows, {len(arrays.objective):,} columns, {len(arrays.value):,} entries"


def _search(market: markets.Market, limits: search.Limits, clock: Clock, bound: int | None) -> None:
    timed = Timed(market, Highs(), limits)
    timed.clock = clock
    with clock.step("search with its relaxation"):
        found = timed.run()
    with clock.step("price, certify, replay"):
        outcome, proof = publication.publish(market, found)
    with clock.step("verify"):
        report = verify.verify(market.book, json.loads(outcome.canonical_bytes()))
    clock.show("search with its relaxation", json.dumps(timed.stats.to_document()))
    clock.show(
        "price, certify, replay", f"{len(outcome.trades):,} trades, bounds {proof.bound / clock.relaxed:.3%} of it"
    )
    clock.show("verify", f"{len(report.hard)} hard, {len(report.strict)} strict violations")
    share = f", {outcome.welfare / bound:.3%} of the best proven bound" if bound else ""
    print(f"welfare {outcome.welfare:,} micros: {outcome.welfare / clock.relaxed:.3%} of the relaxation{share}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    entries = len(_program(market, integral=True).arrays.value)
    print(
        f"memory {memory:.0f} MB at most; {entries:,} entries of the integer program: "
        f"{(memory - 100) * 2**20 / entries:.0f} bytes each beyond 100 MB"
    )


def _plain(market: markets.Market, clock: Clock) -> None:
    program = _program(market, integral=True)
    relaxation = Highs().relaxation(program.arrays)
    with clock.step("plain relaxation"):
        solution = relaxation.solve()
    clock.show(
        "plain relaxation", f"{solution.objective * program.unit / 1e6:,.3f}; {len(program.arrays.value):,} entries"
    )


def _pyomo(python: Path, arrays: Arrays, clock: Clock) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(
            path,
            objective=arrays.objective,
            upper=arrays.upper,
            row_lower=arrays.row_lower,
            row_upper=arrays.row_upper,
            start=arrays.start,
            index=arrays.index,
            value=arrays.value,
        )
        done = subprocess.run([python, PYOMO_MODEL, path], check=True, capture_output=True, text=True)
    seconds = float(done.stdout.split()[-1])
    clock.seconds["pyomo"] = seconds
    clock.show("pyomo", f"{seconds / clock.seconds['build and load']:.0f} times our build")


if __name__ == "__main__":
    main()
