"""Clearing a book: model, search, prices, replay, certificate, and an independent verification of the result.

``clear`` is a pure function of the book and the limits: no clock, no randomness, no dependence on the order of rows.
What leaves it has passed ``verify`` on the very document that will be published.
"""

import json
from dataclasses import dataclass
from importlib import metadata
from typing import TypeAlias

from exchange.clearing import book as books
from exchange.clearing import certificate, divisible, prices, settle, verify
from exchange.clearing import model as models
from exchange.clearing import program as programs
from exchange.clearing.allocation import Allocation
from exchange.clearing.book import Book, Document
from exchange.clearing.certificate import Certificate, Vector
from exchange.clearing.errors import EngineFault
from exchange.clearing.large import market as markets
from exchange.clearing.large import publication
from exchange.clearing.large.market import Market as LargeMarket
from exchange.clearing.large.neighbourhoods import Run
from exchange.clearing.large.search import Limits as LargeLimits
from exchange.clearing.large.search import Search as LargeSearch
from exchange.clearing.large.search import Stats as LargeStats
from exchange.clearing.limits import DEFAULT, Limits
from exchange.clearing.model import Market
from exchange.clearing.outcome import Outcome
from exchange.clearing.search import Candidate, Search, Stats
from exchange.clearing.solver import Highs, Solver
from exchange.clearing.violations import RejectedBlock, Violation

ENGINE = "strict-uniform/8"
LARGE = LargeLimits()


@dataclass(frozen=True)
class Result:
    """An outcome that may be published, and what belongs into the record of its round.

    ``strict`` says that divisible supply and demand are content with the prices; otherwise ``residuals`` name the
    strict rules that no allocation found could meet. ``degraded`` marks a search that a limit cut short: the
    outcome is legal all the same, but perhaps not the best.
    """

    outcome: Outcome
    certificate: Certificate
    rejected_blocks: tuple[RejectedBlock, ...]
    residuals: tuple[Violation, ...]
    strict: bool
    degraded: bool
    book_digest: str
    engine_version: str
    stats: Stats | LargeStats

    def record_document(self) -> Document:
        """Return everything beside prices and trades, as JSON for the round's record."""
        return {
            "book_sha256": self.book_digest,
            "outcome_sha256": self.outcome.digest(),
            "engine_version": self.engine_version,
            "welfare": self.outcome.welfare,
            "bound": self.outcome.bound,
            "strict": self.strict,
            "degraded": self.degraded,
            "paradoxically_rejected": [block.to_document() for block in self.rejected_blocks],
            "residuals": [violation.to_document() for violation in self.residuals],
            "search": self.stats.to_document(),
        }


# An outcome, its certificate, what the search did, and whether a limit cut it short.
_Cleared: TypeAlias = tuple[Outcome, Certificate, Stats | LargeStats, bool]


def clear(
    book: Book,
    *,
    limits: Limits = DEFAULT,
    large_limits: LargeLimits = LARGE,
    solver: Solver | None = None,
    run: Run | None = None,
) -> Result:
    """Clear a book; raises EngineFault rather than return an outcome that breaks a hard rule.

    ``run`` computes the batches of a wave of a large book, in this process by default; the result does not depend
    on who computes them.
    """
    book = books.canonical(book)
    cleared = _divisible(book) if limits.divisible else None
    outcome, proof, stats, degraded = cleared or _searched(book, solver or Highs(), limits, large_limits, run)
    report = verify.verify(book, json.loads(outcome.canonical_bytes()))
    if report.hard:
        raise EngineFault(tuple(str(violation) for violation in report.hard))
    return Result(
        outcome=outcome,
        certificate=proof,
        rejected_blocks=report.rejected_blocks,
        residuals=report.strict,
        strict=not report.strict,
        degraded=degraded,
        book_digest=books.digest(book),
        engine_version=engine_version(),
        stats=stats,
    )


def _divisible(book: Book) -> _Cleared | None:
    found = divisible.clear(book)
    return None if found is None else (*found, Stats(method="divisible"), False)


def _searched(book: Book, solver: Solver, limits: Limits, large_limits: LargeLimits, run: Run | None) -> _Cleared:
    market = markets.build(book) if len(book.orders) > limits.large_orders else None
    return _small(book, solver, limits) if market is None else _large(market, solver, large_limits, run)


def _small(book: Book, solver: Solver, limits: Limits) -> _Cleared:
    market = _market(book, limits)
    search = Search(market, solver, limits)
    outcome, proof = _publishable(market, search.run(), solver)
    return outcome, proof, search.stats, search.stats.limited or market.truncated


def _large(market: LargeMarket, solver: Solver, limits: LargeLimits, run: Run | None) -> _Cleared:
    search = LargeSearch(market, solver, limits, run)
    outcome, proof = publication.publish(market, search.run())
    return outcome, proof, search.stats, False


def engine_version() -> str:
    """Return what has to be equal for two clearings of one book to give the same bytes."""
    return f"{ENGINE} {divisible.ENGINE} highspy/{metadata.version('highspy')} numpy/{metadata.version('numpy')}"


def _market(book: Book, limits: Limits) -> Market:
    few = len(book.orders) <= limits.slotwise_orders and models.slots_on_offer(book) <= limits.slots
    # Equal slots may need unequal answers (a budget that pays for one hour of two), so small books keep them apart.
    return models.build(book, slotwise=few)


def _publishable(market: Market, found: Candidate, solver: Solver) -> tuple[Outcome, Certificate]:
    traded = prices.centred(market, found.allocation, found.assessment)
    published = prices.untraded(market, found.allocation) | traded
    trades, welfare = settle.trades(market, found.allocation, traded)
    if welfare != found.welfare:
        raise EngineFault((f"WELFARE: the replay gives {welfare}, the search {found.welfare}",))
    proof = _certificate(market, found.allocation, published, solver)
    runs = settle.price_runs(market, published)
    return Outcome(prices=runs, trades=trades, welfare=welfare, bound=proof.bound), proof


def _certificate(
    market: Market, allocation: Allocation, published: dict[tuple[int, int], int], solver: Solver
) -> Certificate:
    # Where nothing may be published the vector still needs a price: the demand that stands above all supply.
    settlement = prices.highest_unmet(market, allocation) | published
    # Alternatives that are dear at the cheapest reserves still count in the bound, so the duals have to know them.
    relaxation = programs.build(market, groups=market.every_group)
    # Where starts are cut off blocks count with all that they could be worth, which no duals would sharpen.
    duals = programs.prices(relaxation, () if market.truncated else solver.relax(relaxation.program).duals)
    return Certificate(settlement=_vector(market, settlement), duals=_vector(market, duals))


def _vector(market: Market, vector: dict[tuple[int, int], int]) -> Vector:
    return Vector(settle.price_runs(market, vector), certificate.upper_bound(market, vector))
