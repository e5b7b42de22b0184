"""Clear random books of 5 to 60 orders of every type and print the slowest; compare with another engine's run.

    python -m benchmarks.clearing.small [--books 100] [--seed 1] [--families NAME ...] [--write FILE] [--against FILE]

Books are adversarial families, some of them once more with a budget that binds for each buyer, and larger books of the
kinds of the tiny ones (``SHAPES``). ``--write`` keeps welfare, strictness and CPU seconds of each book; ``--against``
compares with what another engine wrote, and exits 1 where strictness or more than a hundredth of the welfare is lost.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.books import adversarial, tiny
from benchmarks.books.dice import Dice
from benchmarks.books.tiny import Shape
from exchange.clearing import engine
from exchange.clearing.book import Book

SHAPES = {
    "everything": Shape(cells=4, slots=10, cards=6, budgets=60, blocks=60, prices=60, single_hourly=30, fixed=30),
    "few_buyers": Shape(cells=2, slots=8, cards=4, budgets=100, blocks=50, prices=30, single_hourly=10),
    "large_lots": Shape(cells=3, slots=8, cards=10**9, budgets=60, prices=1_000, single_hourly=10),
}
BUDGETED = ("chained", "tick_edges", "beyond_floats", "near_int64", "dear_and_cheap", "every_kind")
PLAIN = ("budgets", "giant", "chained", "beyond_floats", "near_int64", "dear_and_cheap", "paradox", "every_kind")
FAMILIES = (*SHAPES, *(f"budgeted_{name}" for name in BUDGETED), *PLAIN)
FEWEST, MOST = 5, 60
LOST = 0.99  # of the other engine's welfare


@dataclass(frozen=True)
class Row:
    """How one book was cleared."""

    name: str
    seconds: float
    welfare: int
    strict: bool
    degraded: bool
    method: str


def names(books: int, seed: int, families: list[str]) -> Iterator[str]:
    """Yield ``FAMILY-ORDERS-SEED``, the families in turn."""
    dice = Dice(seed)
    for place in range(books):
        yield f"{families[place % len(families)]}-{dice.between(FEWEST, MOST)}-{seed * 1_000 + place}"


def make(name: str) -> Book:
    """Return the book of a name."""
    family, orders, seed = name.split("-")
    if family in SHAPES:
        return tiny.shaped(SHAPES[family], orders=int(orders), offers=max(3, int(orders) // 3), seed=int(seed))
    plain = adversarial.FAMILIES[family.removeprefix("budgeted_")](int(orders), int(seed))
    return plain if family in adversarial.FAMILIES else _budgeted(plain, Dice(int(seed)))


def _budgeted(book: Book, dice: Dice) -> Book:
    """Return the book with a budget of a part of the worst case for each buyer."""
    worst: dict[str, int] = {}
    for order in book.orders:
        hours = order.hours or order.latest - order.earliest
        worst[order.buyer] = worst.get(order.buyer, 0) + order.limit * order.qmax * hours
    return replace(book, budgets={buyer: worst[buyer] * dice.between(20, 60) // 100 for buyer in sorted(worst)})


def clear(name: str) -> Row:
    """Clear a book and take its CPU time."""
    book = make(name)
    began = time.process_time()
    result = engine.clear(book)
    seconds = round(time.process_time() - began, 2)
    return Row(name, seconds, result.outcome.welfare, result.strict, result.degraded, result.stats.method)


def compared(row: Row, other: Row) -> str:
    """Return what is different from the other run, empty if nothing."""
    found = []
    if row.welfare != other.welfare:
        found.append(f"welfare {(row.welfare - other.welfare) / max(1, other.welfare):+.3%}")
    if row.strict != other.strict:
        found.append(f"{'' if row.strict else 'NOT '}strict any more" if other.strict else "strict now")
    return ", ".join(found)


def is_worse(row: Row, other: Row) -> bool:
    """Return whether strictness, or more welfare than the last hundredth, is lost."""
    return row.strict < other.strict or (row.strict == other.strict and row.welfare < LOST * other.welfare)


def main() -> int:
    """Run the books and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    others = _read(options.against) if options.against else {}
    rows: list[Row] = []
    for name in names(options.books, options.seed, options.families):
        rows.append(clear(name))
        row, other = rows[-1], others.get(name)
        before = f" (before {other.seconds:.2f} s) {compared(row, other)}" if other else ""
        state = f"{'strict' if row.strict else 'legal'}{', degraded' if row.degraded else ''}"
        print(f"{name:32} {row.seconds:7.2f} s  {row.welfare}, {row.method}, {state}{before}", flush=True)
        if options.write:
            options.write.write_text(json.dumps([asdict(each) for each in rows], indent=1), encoding="utf-8")
    times = sorted(row.seconds for row in rows)
    pairs = [(row, others[row.name]) for row in rows if row.name in others]
    print(
        f"{len(rows)} books, {sum(row.strict for row in rows)} strict; median {times[len(times) // 2]:.2f} s, "
        f"slowest {times[-1]:.2f} s, together {sum(times):.0f} s"
    )
    if pairs:
        more = sum(row.welfare > other.welfare for row, other in pairs)
        less = sum(row.welfare < other.welfare for row, other in pairs)
        slowest, together = max(other.seconds for _, other in pairs), sum(other.seconds for _, other in pairs)
        print(f"of {len(pairs)} compared: welfare more in {more}, less in {less}")
        print(f"before: slowest {slowest:.2f} s, together {together:.0f} s")
    return 1 if any(is_worse(*pair) for pair in pairs) else 0


def _read(path: Path) -> dict[str, Row]:
    return {row["name"]: Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))}


if __name__ == "__main__":
    sys.exit(main())
