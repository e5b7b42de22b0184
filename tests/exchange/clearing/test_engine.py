"""The engine as a whole: odd books, odd numbers, odd solvers, and the same bytes every time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.books import recipe, tiny
from benchmarks.books.dice import Dice
from exchange.clearing import book as books
from exchange.clearing import engine, parsing, settle, verify
from exchange.clearing.book import Book, Needs
from exchange.clearing.errors import EngineFault
from exchange.clearing.limits import DEFAULT, Limits
from exchange.clearing.solver import Arrays, Basis, Highs, Program, Relaxation, Rows, Solution, Status
from tests.exchange.clearing.cast import block, cell, hourly, offer, paradox, story

ROOT = Path(__file__).parents[3]


def hard_violations(book: Book, result: engine.Result) -> list[str]:
    """Return what the verifier finds in the published bytes."""
    report = verify.verify(book, json.loads(result.outcome.canonical_bytes()))
    return [str(violation) for violation in report.hard]


@pytest.mark.parametrize(
    "book",
    [
        parsing.make_book(cells=[], offers=[], orders=[]),
        parsing.make_book(cells=[cell()], offers=[offer("s", qty=1, reserve=1)], orders=[]),
        parsing.make_book(cells=[cell()], offers=[], orders=[hourly("b", limit=5, qty=1)]),
        parsing.make_book(
            cells=[cell()],
            offers=[offer("s", qty=1, reserve=1)],
            orders=[hourly("b", limit=5, qty=1, needs=Needs(model=("none",)))],
        ),
        parsing.make_book(
            cells=[cell()],
            offers=[offer("s", qty=1, reserve=1)],
            orders=[block("late", limit=5, qty=1, t0=3, t1=4), hourly("early", limit=5, qty=1, t0=-3, t1=0)],
        ),
        parsing.make_book(cells=[cell()], offers=[offer("s", qty=1, reserve=9)], orders=[block("b", limit=5, qty=1)]),
        parsing.make_book(cells=[cell()], offers=[offer("s", qty=1, reserve=1)], orders=[block("b", limit=5, qty=2)]),
    ],
    ids=["empty", "no orders", "no offers", "nobody serves", "other hours", "too dear", "too wide"],
)
def test_where_nothing_can_trade_nothing_does(book: Book) -> None:
    result = engine.clear(book)

    assert result.outcome.trades == ()
    assert result.outcome.welfare == 0
    assert result.strict
    assert not result.degraded
    assert hard_violations(book, result) == []


def test_an_idle_cell_is_published_at_its_cheapest_reserve() -> None:
    book = parsing.make_book(
        cells=[cell()], offers=[offer("s", qty=1, reserve=9), offer("t", qty=1, reserve=7)], orders=[]
    )

    assert [run.price for run in engine.clear(book).outcome.prices["c1"]] == [7]


def test_the_paradox_book_trades_nothing_because_no_price_could_carry_its_optimum() -> None:
    result = engine.clear(paradox())

    assert result.outcome.welfare == 0
    assert result.outcome.bound == 20  # half of the block would take the cheap cards alone
    assert result.strict
    assert [found.order for found in result.rejected_blocks] == ["wide"]


def test_a_rejected_block_that_would_gain_at_the_published_prices_is_listed() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("cheap", seq=1, qty=5, reserve=1), offer("dear", seq=2, qty=5, reserve=8)],
        orders=[block("wide", qty=10, limit=5, seq=3), hourly("small", qty=1, limit=6, seq=4)],
    )

    rejected = engine.clear(book).rejected_blocks

    assert [(found.order, found.cell, found.start) for found in rejected] == [("wide", "c1", 0)]
    assert rejected[0].surplus > 0


def test_a_trade_at_zero_surplus_is_priced_at_the_only_price_there_is() -> None:
    book = parsing.make_book(
        cells=[cell()], offers=[offer("s", qty=1, reserve=7)], orders=[hourly("b", limit=7, qty=1)]
    )
    outcome = engine.clear(book).outcome

    assert outcome.welfare == 0
    assert [run.price for run in outcome.prices["c1"]] == [7]


def test_of_equal_blocks_the_earlier_ones_are_filled_wherever_the_solver_put_them() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", qty=2, reserve=1)],
        orders=[block(name, qty=1, limit=5, seq=seq) for seq, name in enumerate("edcba", start=2)],
    )

    assert {trade.order for trade in engine.clear(book).outcome.trades} == {"e", "d"}


def test_a_flexible_block_takes_the_earliest_start_and_the_lowest_cell_among_equals() -> None:
    book = parsing.make_book(
        cells=[cell("b"), cell("a")],
        offers=[offer("sa", cell="a", t1=6, qty=1, reserve=1), offer("sb", cell="b", t1=6, qty=1, reserve=1)],
        orders=[block("flexible", qty=1, limit=5, t1=6, hours=2)],
    )
    trade = engine.clear(book).outcome.trades[0]

    assert (trade.offer, trade.t0, trade.t1) == ("sa", 0, 2)


def test_a_budget_that_binds_is_kept_at_the_price_paid() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", qty=4, reserve=10)],
        orders=[block("b", limit=50, qty=4, least=1, buyer="poor")],
        budgets={"poor": 25},
    )
    result = engine.clear(book)
    paid = sum(trade.qty * trade.price * (trade.t1 - trade.t0) for trade in result.outcome.trades)

    assert result.outcome.welfare == 2 * (50 - 10)
    assert paid <= 25


def test_blocks_start_on_the_grid_counted_from_their_earliest_slot() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", t0=0, t1=24, qty=1, reserve=5), offer("cheap", t0=8, t1=16, qty=1, reserve=1)],
        orders=[block("b", limit=9, qty=1, t0=0, t1=24, hours=8)],
        grid=4,
    )
    trades = engine.clear(book).outcome.trades

    assert {(trade.offer, trade.t0, trade.t1) for trade in trades} == {("cheap", 8, 16)}


def test_numbers_beyond_what_floats_hold_are_exact() -> None:
    most = 2**63 - 1
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", t1=1_000, qty=most, reserve=most - 3)],
        orders=[
            block("b", t1=1_000, qty=most - 7, limit=most, single_site=True, seq=2),
            hourly("h", t1=1_000, qty=7, limit=most - 1, seq=3),
        ],
    )
    result = engine.clear(book)

    assert result.outcome.welfare == 1_000 * (3 * (most - 7) + 2 * 7)
    assert result.outcome.bound >= result.outcome.welfare
    assert hard_violations(book, result) == []


def test_windows_far_beyond_the_capacity_cost_nothing() -> None:
    far = 2**62
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("s", t0=-far, t1=far, qty=2, reserve=1), offer("now", t0=0, t1=10, qty=1, reserve=0)],
        orders=[hourly("h", t0=-far, t1=far, qty=1, limit=3), block("b", t0=-far, t1=far, qty=1, limit=3, hours=far)],
    )
    result = engine.clear(book)

    assert result.degraded
    assert hard_violations(book, result) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_realistic_book_is_legal_strict_and_bounded(seed: int) -> None:
    book = recipe.book(recipe.Size(orders=120, offers=24, slots=24), seed)
    result = engine.clear(book)

    assert hard_violations(book, result) == []
    assert result.strict
    assert result.outcome.welfare <= result.outcome.bound <= result.outcome.welfare * 115 // 100


def test_a_four_hour_grid_is_cleared_in_merged_rows_with_the_same_rules() -> None:
    book = recipe.book(recipe.Size(orders=80, offers=20, slots=48, grid=4), 5)
    result = engine.clear(book)

    assert hard_violations(book, result) == []
    assert result.strict


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_shuffled_rows_give_the_same_bytes(family: str, seed: int) -> None:
    book, dice = tiny.book(family, seed), Dice(seed)
    shuffled = Book(
        tuple(dice.shuffled(book.cells)),
        tuple(dice.shuffled(book.offers)),
        tuple(dice.shuffled(book.orders)),
        book.budgets,
        book.grid,
    )

    first, second = engine.clear(book), engine.clear(shuffled)

    assert first.outcome.canonical_bytes() == second.outcome.canonical_bytes()
    assert first.record_document() == second.record_document()
    assert first.certificate.to_document() == second.certificate.to_document()


def test_another_process_with_another_hash_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    book = recipe.book(recipe.Size(orders=100, offers=20, slots=24), 1)
    (tmp_path / "book.json").write_bytes(book.canonical_bytes())
    script = (
        "import sys; from pathlib import Path; from exchange.clearing import engine, parsing;"
        "result = engine.clear(parsing.parse_book(Path(sys.argv[1]).read_bytes()));"
        "print(result.outcome.digest())"
    )
    digests = {engine.clear(book).outcome.digest()}
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "book.json")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        digests.add(done.stdout.strip())

    assert len(digests) == 1


class Liar:
    """A solver that twists what HiGHS says."""

    def __init__(self, twist: "dict[str, object] | None" = None, *, factor: float = 1.0, shift: float = 0.0) -> None:
        self.status = (twist or {}).get("status", Status.OPTIMAL)
        self.values = (twist or {}).get("values")
        self.factor = factor
        self.shift = shift
        self.honest = Highs()

    def relax(self, program: Program) -> Solution:
        """Return twisted duals."""
        solution = self.honest.relax(program)
        return replace(solution, duals=[dual * self.factor - self.shift for dual in solution.duals])

    def optimise(self, program: Program, *, nodes: int, gap: float, presolve: bool = True) -> Solution:
        """Return a twisted optimum."""
        solution = self.honest.optimise(program, nodes=nodes, gap=gap, presolve=presolve)
        return self.twisted(solution)

    def improve(self, arrays: Arrays, start: NDArray[np.float64], *, nodes: int, gap: float) -> Solution:
        """Return a twisted optimum."""
        return self.twisted(self.honest.improve(arrays, start, nodes=nodes, gap=gap))

    def relaxation(self, arrays: Arrays) -> "LyingRelaxation":
        """Return a relaxation that twists what it says."""
        return LyingRelaxation(self._with_duals, self.honest.relaxation(arrays))

    def _with_duals(self, solution: Solution) -> Solution:
        duals = [dual * self.factor - self.shift for dual in solution.duals]
        if self.values is not None:
            duals = [float(str(self.values))] * len(duals)
        return replace(self.twisted(solution), duals=duals, costs=solution.costs)

    def twisted(self, solution: Solution) -> Solution:
        """Return a solution that is not so."""
        values = [value * self.factor + self.shift for value in solution.values]
        if self.values is not None:
            values = [float(str(self.values))] * len(solution.values)
        return Solution(Status(str(self.status)), objective=solution.objective, values=values)


@dataclass
class LyingRelaxation:
    """A relaxation that twists what it says."""

    twisted: Callable[[Solution], Solution]
    honest: Relaxation

    def solve(self) -> Solution:
        """Return what is not so."""
        return self.twisted(self.honest.solve())

    def set_upper(self, columns: NDArray[np.int64], upper: NDArray[np.float64]) -> None:
        """Change bounds."""
        self.honest.set_upper(columns, upper)

    def set_row_lower(self, rows: NDArray[np.int64], lower: NDArray[np.float64]) -> None:
        """Change bounds."""
        self.honest.set_row_lower(rows, lower)

    def add_rows(self, rows: Rows) -> None:
        """Add rows."""
        self.honest.add_rows(rows)

    def basis(self) -> Basis | None:
        """Return the vertex, which is not the one of the values."""
        return self.honest.basis()

    def inverse_row(self, place: int) -> NDArray[np.float64]:
        """Return the vertex's row."""
        return self.honest.inverse_row(place)


LIARS = {
    "fractions": Liar(shift=0.4),
    "everything at once": Liar({"values": 1e6}),
    "not a number": Liar({"values": "nan"}),
    "infinite": Liar({"values": "inf"}),
    "negative": Liar(factor=-3.0),
    "doubled": Liar(factor=2.0),
    "failed": Liar({"status": "failed", "values": 0.0}),
    "infeasible": Liar({"status": "infeasible"}),
}


@pytest.mark.parametrize("liar", LIARS.values(), ids=LIARS)
@pytest.mark.parametrize("family", ["mixed", "budgets", "single_hourly", "binding"])
@pytest.mark.parametrize("on_arrays", [False, True], ids=["objects", "arrays"])
def test_a_lying_solver_cannot_make_the_engine_break_a_rule(liar: Liar, family: str, on_arrays: bool) -> None:
    limits = replace(DEFAULT, large_orders=0) if on_arrays else DEFAULT
    for seed in range(6):
        book = tiny.book(family, seed)
        result = engine.clear(book, solver=liar, limits=limits)

        assert hard_violations(book, result) == []
        assert result.outcome.bound >= result.outcome.welfare


def test_an_outcome_that_fails_verification_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = settle.price_runs
    monkeypatch.setattr(
        settle,
        "price_runs",
        lambda market, prices: honest(market, {key: price - 2_000_000 for key, price in prices.items()}),
    )

    with pytest.raises(EngineFault, match=r"IR_SELL|PRICE"):
        engine.clear(story())


def test_limits_too_small_to_search_still_give_a_legal_outcome() -> None:
    book = recipe.book(recipe.Size(orders=60, offers=14, slots=24), 3)
    result = engine.clear(book, limits=Limits(exact_binaries=0, program_binaries=0, insertions=200))

    assert result.degraded
    assert result.outcome.welfare > 0
    assert hard_violations(book, result) == []


def test_drops_and_insertions_alone_come_close_to_the_exact_program() -> None:
    book = recipe.book(recipe.Size(orders=100, offers=20, slots=24), 4)
    exact, dropped = engine.clear(book), engine.clear(book, limits=Limits(exact_binaries=0))

    assert dropped.strict
    assert hard_violations(book, dropped) == []
    assert dropped.outcome.welfare * 100 >= exact.outcome.welfare * 97


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_without_the_exact_program_outcomes_stay_legal_and_say_where_they_are_not_strict(family: str) -> None:
    for seed in range(15):
        book = tiny.book(family, seed)
        result = engine.clear(book, limits=Limits(exact_binaries=0))

        assert hard_violations(book, result) == []
        assert result.strict is (not result.residuals)


def test_the_record_names_book_outcome_engine_and_search() -> None:
    record = engine.clear(story()).record_document()

    assert record["book_sha256"] == books.digest(story())
    assert record["outcome_sha256"] == engine.clear(story()).outcome.digest()
    assert "highspy/" in str(record["engine_version"])
    assert record["degraded"] is False


def test_quantities_beyond_the_solver_still_trade() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("S1", qty=2**40, t1=24, reserve=1_500_000)],
        orders=[block("B1", qty=2**39, least=1, t1=24, hours=4, limit=2_500_000, single_site=True)],
    )

    result = engine.clear(book)

    assert result.outcome.welfare == 2**39 * 4 * 1_000_000
    assert result.strict
    assert result.degraded


def test_supply_without_end_does_not_trouble_the_solver() -> None:
    book = parsing.make_book(
        cells=[cell()],
        offers=[offer("S1", qty=2**40, t1=24, reserve=1_500_000)],
        orders=[block("B1", qty=16, t1=24, limit=2_500_000), hourly("B2", qty=4, t1=24, limit=1_500_001)],
    )

    result = engine.clear(book)

    assert result.outcome.welfare == 24 * (16 * 1_000_000 + 4)
    assert result.strict
    assert not result.degraded
