"""Whatever the solver says, nothing illegal is published and no bound is too low.

The wrong answers are answers of the right shape, which is what makes them dangerous: other orders' values, values of
another problem, an optimum that is none, duals that are noise.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.books import adversarial, tiny
from benchmarks.books.dice import Dice
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing import engine
from exchange.clearing.book import Book
from exchange.clearing.limits import DEFAULT, Limits
from exchange.clearing.solver import Arrays, Highs, Program, Solution, Status
from tests.exchange.clearing.test_engine import LyingRelaxation, hard_violations

Values = Sequence[float]
Twist = Callable[[Values], Values]

# The search and nothing else: no enumeration, no fast path.
SEARCHED = replace(DEFAULT, divisible=False, float_ticks=2**63)


def noise(values: Values) -> Values:
    """Return whole numbers that have nothing to do with the question."""
    dice = Dice(len(values))
    return [float(dice.between(-1, 4)) for _ in values]


TWISTS: dict[str, Twist] = {
    "the values of other columns": lambda values: list(reversed(values)),
    "noise": noise,
    "every binary taken": lambda values: [1.0] * len(values),
    "nearly nothing": lambda values: [1e-9] * len(values),
    "rounded up": lambda values: [float(int(value) + 1) for value in values],
    "too few values": lambda values: values[:-1],
    "beyond 64 bits": lambda values: [1e300] * len(values),
}


class Twisted:
    """HiGHS, whose answers pass through a twist; it calls all of them optimal and claims as much as it is told to."""

    def __init__(self, twist: Twist, *, claim: float = 0.0) -> None:
        self.twist, self.claim, self.honest = twist, claim, Highs()

    def relax(self, program: Program) -> Solution:
        """Return twisted values and duals."""
        found = self.honest.relax(program)
        return replace(found, values=self.twist(list(found.values)), duals=self.twist(list(found.duals)))

    def optimise(self, program: Program, *, nodes: int, gap: float, presolve: bool = True) -> Solution:
        """Return twisted values as an optimum."""
        found = self.honest.optimise(program, nodes=nodes, gap=gap, presolve=presolve)
        return self._optimum(found)

    def improve(self, arrays: Arrays, start: NDArray[np.float64], *, nodes: int, gap: float) -> Solution:
        """Return twisted values as an optimum."""
        return self._optimum(self.honest.improve(arrays, start, nodes=nodes, gap=gap))

    def relaxation(self, arrays: Arrays) -> LyingRelaxation:
        """Return a relaxation with twisted values, duals and costs."""
        return LyingRelaxation(
            lambda found: replace(
                self._optimum(found), duals=self.twist(list(found.duals)), costs=self.twist(list(found.costs))
            ),
            self.honest.relaxation(arrays),
        )

    def _optimum(self, found: Solution) -> Solution:
        return Solution(Status.OPTIMAL, objective=found.objective + self.claim, values=self.twist(list(found.values)))


def check(book: Book, solver: Twisted) -> None:
    for limits in (SEARCHED, replace(SEARCHED, large_orders=0)):
        check_with(limits, book, solver)


def check_with(limits: Limits, book: Book, solver: Twisted) -> None:
    result = engine.clear(book, limits=limits, solver=solver)

    assert hard_violations(book, result) == []
    try:
        best = Enumeration(book, combinations=2_000).best(Prices.FREE)
    except TooLarge:
        best = result.outcome.welfare
    assert best is not None
    assert result.outcome.bound >= best
    assert result.certificate.bound == result.outcome.bound


@pytest.mark.parametrize("twist", TWISTS.values(), ids=TWISTS)
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_an_answer_that_is_none_publishes_nothing_illegal_and_proves_nothing_false(family: str, twist: Twist) -> None:
    check(tiny.book(family, 5), Twisted(twist))


@pytest.mark.parametrize("claim", [-1e12, 1e12])
@pytest.mark.parametrize("family", ["steep", "binding", "budgets"])
def test_a_false_optimum_changes_nothing_that_is_illegal(family: str, claim: float) -> None:
    check(tiny.book(family, 6), Twisted(lambda values: values, claim=claim))


@pytest.mark.parametrize("family", ["every_kind", "tick_edges"])
def test_adversarial_books_survive_noise_too(family: str) -> None:
    check(adversarial.FAMILIES[family](8, 2), Twisted(noise))
