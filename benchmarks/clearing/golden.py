"""The golden corpus: books by name with the welfare that an engine has to reach, and the best bound ever proven.

    python -m benchmarks.clearing.golden [NAME ...] [--quick] [--store]

Every book is made from its seed, checked against its SHA-256, cleared, and verified with its required welfare: on tiny
books the best that any allocation with strict prices has, on others 99 % of the best that was found. An engine of the
version that is stored gives the very bytes that it gave then. ``--store`` writes what was reached where it is better
than what is stored, and which bytes it was. Exits 1 if any book misses.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.books import published, tiny
from benchmarks.clearing.reference import Enumeration, Prices
from exchange.clearing import book as books
from exchange.clearing import engine, verify
from exchange.clearing.book import Book
from exchange.clearing.engine import Result
from exchange.clearing.violations import Violation

STORED = Path(__file__).with_name("golden.json")
TINY_SEEDS = (2, 7)
LARGEST = 6_000  # orders
SHARE = 99  # percent of the best welfare found that is required of larger books
QUICK = ("giant-40", "tick_edges-40", "maximum_limits-40", "every_kind-40", "budgets-40")


@dataclass(frozen=True)
class Golden:
    """One book of the corpus; welfare and bound in micros. ``engine`` is a version, ``outcome`` the SHA-256 it gave."""

    name: str
    sha256: str
    best: int
    required: int
    bound: int
    engine: str = ""
    outcome: str = ""

    def book(self) -> Book:
        """Return the book, made again from its seed."""
        return make(self.name)


def is_quick(name: str) -> bool:
    """Return whether a book takes at most some seconds, so that every run of the tests clears it."""
    return name.startswith("tiny-") or name in QUICK


def make(name: str) -> Book:
    """Return a published book, or a tiny one named ``tiny-FAMILY-SEED``."""
    if name.startswith("tiny-"):
        _, family, seed = name.split("-")
        return tiny.book(family, int(seed))
    return published.every()[name].make()


def names() -> Iterator[str]:
    """Yield the names of the corpus, tiny books first."""
    for family in tiny.FAMILIES:
        yield from (f"tiny-{family}-{seed}" for seed in TINY_SEEDS)
    yield from (name for name, book in published.every().items() if book.orders <= LARGEST)


def corpus() -> dict[str, Golden]:
    """Return the stored corpus by name."""
    rows = json.loads(STORED.read_text(encoding="utf-8"))
    return {name: Golden(name, **row) for name, row in rows.items()}


def faults(golden: Golden, book: Book, result: Result) -> list[Violation | str]:
    """Return what is wrong with a result: broken rules, too little welfare, or more than was proven possible."""
    document = json.loads(result.outcome.canonical_bytes())
    report = verify.verify(book, document, required_welfare=golden.required)
    found: list[Violation | str] = list(report.hard)
    if books.digest(book) != golden.sha256:
        found.append(f"the book is {books.digest(book)}")
    if result.outcome.welfare > golden.bound:
        found.append(f"welfare {result.outcome.welfare} above the proven bound {golden.bound}")
    if result.engine_version == golden.engine and result.outcome.digest() != golden.outcome:
        found.append(f"other bytes than {golden.engine} gave before: a change of them is another version")
    return found


def improved(name: str, known: Golden | None, book: Book, result: Result) -> Golden:
    """Return what is to be stored after another run."""
    best, bound = result.outcome.welfare, result.outcome.bound
    given = (result.engine_version, result.outcome.digest())
    if name.startswith("tiny-"):
        required = Enumeration(book).best(Prices.STRICT) or 0
        return Golden(name, books.digest(book), required, required, bound, *given)
    if known is not None and known.sha256 == books.digest(book):
        best, bound = max(best, known.best), min(bound, known.bound)
    return Golden(name, books.digest(book), best, best * SHARE // 100, bound, *given)


def store(rows: dict[str, Golden]) -> None:
    """Write the corpus, in the order of its names."""
    texts = {
        name: {key: value for key, value in asdict(rows[name]).items() if key != "name"}
        for name in names()
        if name in rows
    }
    STORED.write_text(json.dumps(texts, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run the corpus and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="only the books of the default tests")
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    stored = corpus() if STORED.exists() else {}
    failed = 0
    for name in options.names or list(names()):
        if options.quick and not is_quick(name):
            continue
        known, book = stored.get(name), make(name)
        began = time.perf_counter()
        result = engine.clear(book)
        seconds = time.perf_counter() - began
        wrong = faults(known, book, result) if known else ["not stored"]
        failed += bool(wrong)
        gap = (result.outcome.bound - result.outcome.welfare) / max(1, result.outcome.welfare)
        print(
            f"{name:26} {seconds:7.1f} s  welfare {result.outcome.welfare}, gap {gap:.2%}, {result.stats.method}"
            f"{'' if result.strict else ', NOT STRICT'} {'; '.join(map(str, wrong))}",
            flush=True,
        )
        if options.store:
            stored[name] = improved(name, known, book, result)
            store(stored)
    if options.store:
        return 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
