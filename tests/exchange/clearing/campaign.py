"""A long comparison of the engine with enumeration, outside of the test suite.

    python -m tests.exchange.clearing.campaign --books 20000 --first 0 [--family steep] [--keep FOLDER]

Prints one line per family and every book that missed a rule or the required welfare; exits 1 if any did.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.books import tiny
from exchange.clearing import engine, verify
from exchange.clearing.book import Book
from exchange.clearing.search import DEFAULT, Limits
from tests.exchange.clearing.reference import Enumeration, Prices, TooLarge


@dataclass(frozen=True)
class Judgement:
    """How one outcome compares with enumeration; ``faults`` is empty when all is well."""

    required: int
    welfare: int
    method: str
    faults: tuple[str, ...]


def judge(book: Book, *, limits: Limits = DEFAULT) -> Judgement:
    """Clear a tiny book and compare; raises TooLarge when it cannot be enumerated."""
    enumeration = Enumeration(book)
    required = enumeration.best(Prices.STRICT)
    assert required is not None, "trading nothing is always strict"
    result = engine.clear(book, limits=limits)
    document = json.loads(result.outcome.canonical_bytes())
    report = verify.verify(book, document, required_welfare=required)
    faults = [str(violation) for violation in report.violations]
    if result.outcome.welfare > required:
        faults.append(f"welfare {result.outcome.welfare} above the enumerated {required}")
    return Judgement(required, result.outcome.welfare, result.stats.method, tuple(faults))


def main() -> int:
    """Run the campaign and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--family", choices=tiny.FAMILIES)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    families = [options.family] if options.family else list(tiny.FAMILIES)
    failed = 0
    for family in families:
        count: Counter[str] = Counter()
        began = time.perf_counter()
        for seed in range(options.first, options.first + options.books // len(families)):
            failed += _one(family, seed, count, options.keep)
        seconds = time.perf_counter() - began
        _say(f"{family}: {dict(count)} in {seconds:.0f} s")
    return 1 if failed else 0


def _one(family: str, seed: int, count: "Counter[str]", keep: Path | None) -> int:
    book = tiny.book(family, seed)
    try:
        judgement = judge(book)
    except TooLarge:
        count["too large"] += 1
        return 0
    count["judged"] += 1
    count[judgement.method] += 1
    if not judgement.faults:
        return 0
    count["faulty"] += 1
    _say(f"  {family} {seed}: {'; '.join(judgement.faults[:3])}")
    if keep:
        (keep / f"{family}-{seed}.json").write_bytes(book.canonical_bytes())
    return 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
