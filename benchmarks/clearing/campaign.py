"""A long comparison of the engine with enumeration on tiny books, outside of the test suite.

    python -m benchmarks.clearing.campaign --books 20000 --seed 1 --processes 2 [--family steep] [--keep FOLDER]

Every book (about 6 orders, 4 cards, 3 cells, 6 slots) is cleared, and every integer allocation of it is tried. Half of
the books are hard: steep supply in few cells and mostly all-or-none blocks, so that uniform prices bind. Printed are,
for easy and hard books, the violations of hard rules (there must be none), how many outcomes are strict and how many
reach the best welfare that any allocation with strict prices has, and each book that misses with its gap. ``--keep``
stores those books. Books with too many combinations to try are drawn again. Exits 1 on a hard violation, or where
less than 99 % are strict or reach the best. ``--on-arrays`` sends the books the way of large ones, which gives blocks
up one by one where the way of small ones searches; then only a hard violation fails.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.books import tiny
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing import engine, verify
from exchange.clearing.book import Book
from exchange.clearing.limits import DEFAULT, Limits

GOAL = 0.99
ON_ARRAYS = replace(DEFAULT, large_orders=-1, divisible=False)


@dataclass(frozen=True)
class Judgement:
    """How one outcome compares with enumeration."""

    required: int  # the best welfare of any allocation with strict prices
    binding: bool  # whether some allocation without such prices is worth more
    welfare: int
    method: str
    hard: tuple[str, ...]
    strict: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is not as it should be."""
        found = [*self.hard, *self.strict]
        if self.welfare < self.required:
            found.append(f"welfare {self.welfare}, {self.required} was possible")
        if self.welfare > self.required and not self.strict:
            found.append(f"welfare {self.welfare} above the enumerated {self.required}")
        return tuple(found)


def judge(book: Book, *, limits: Limits = DEFAULT) -> Judgement:
    """Clear a tiny book and compare; raises TooLarge when it cannot be enumerated."""
    enumeration = Enumeration(book)
    required = enumeration.best(Prices.STRICT)
    assert required is not None, "trading nothing is always strict"
    binding = enumeration.exceeds(required, Prices.FREE)
    result = engine.clear(book, limits=limits)
    report = verify.verify(book, json.loads(result.outcome.canonical_bytes()))
    return Judgement(
        required,
        binding,
        result.outcome.welfare,
        result.stats.method,
        hard=tuple(map(str, report.hard)),
        strict=tuple(map(str, report.strict)),
    )


Drawn = tuple[str, int]  # family and seed


def draws(seed: int, family: str | None) -> Iterator[Drawn]:
    """Yield families and seeds without end, every other one hard unless a family is named."""
    easy = [name for name in tiny.FAMILIES if name not in tiny.HARD]
    for count in range(sys.maxsize):
        families = tiny.HARD if count % 2 else easy
        yield family or families[count // 2 % len(families)], seed * 10**9 + count


def judged(drawn: Drawn, *, limits: Limits = DEFAULT) -> Judgement | None:
    """Judge one book, None if it is too large to enumerate."""
    try:
        return judge(tiny.book(*drawn), limits=limits)
    except TooLarge:
        return None


def main() -> int:
    """Run the campaign and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--family", choices=tiny.FAMILIES)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--on-arrays", action="store_true", help="clear the books as large ones are cleared")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    count: Counter[tuple[str, str]] = Counter()
    judging = partial(judged, limits=ON_ARRAYS if options.on_arrays else DEFAULT)
    began = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        upcoming = draws(options.seed, options.family)
        while (missing := options.books - _total(count, "judged")) > 0:
            drawn = list(islice(upcoming, min(missing, 500)))
            for one, judgement in zip(drawn, pool.map(judging, drawn, chunksize=10), strict=True):
                _note(one, judgement, count, options.keep)
    print(f"{_total(count, 'judged')} books in {time.perf_counter() - began:.0f} s")
    return _summary(count, goal=0.0 if options.on_arrays else GOAL)


def _note(drawn: Drawn, judgement: Judgement | None, count: "Counter[tuple[str, str]]", keep: Path | None) -> None:
    family, seed = drawn
    kind = "hard" if family in tiny.HARD else "easy"
    if judgement is None:
        count[kind, "too large"] += 1
        return
    count[kind, "judged"] += 1
    count[kind, "hard violations"] += len(judgement.hard)
    count[kind, "strict"] += not judgement.strict
    count[kind, "prices bind"] += judgement.binding
    count[kind, "best"] += judgement.welfare >= judgement.required
    count[kind, judgement.method] += 1
    if not judgement.faults:
        return
    gap = (judgement.required - judgement.welfare) / max(1, judgement.required)
    print(f"  {family} {seed} ({judgement.method}), gap {gap:.3%}: {'; '.join(judgement.faults[:3])}", flush=True)
    if keep:
        (keep / f"{family}-{seed}.json").write_bytes(tiny.book(family, seed).canonical_bytes())


def _total(count: "Counter[tuple[str, str]]", what: str) -> int:
    return count["easy", what] + count["hard", what]


def _summary(count: "Counter[tuple[str, str]]", *, goal: float) -> int:
    for kind in ("easy", "hard"):
        books = count[kind, "judged"]
        if books:
            shares = ", ".join(f"{what} {count[kind, what] / books:.3%}" for what in ("strict", "best", "prices bind"))
            others = ", ".join(
                f"{what} {number}"
                for (of, what), number in sorted(count.items())
                if of == kind and what not in ("judged", "strict", "best", "prices bind")
            )
            print(f"{kind}, {books} books: {shares}; {others}")
    books = _total(count, "judged")
    enough = all(_total(count, what) >= goal * books for what in ("strict", "best"))
    return 0 if enough and not _total(count, "hard violations") else 1


if __name__ == "__main__":
    sys.exit(main())
