"""Match 200,000 items against 200,000 and print how long it took, what was matched and how much memory it held.

python -m benchmarks.matching.run [--items 200000]
"""

import argparse
import resource
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from billing.reconciliation import matching
from billing.reconciliation.matching import Item

_DAY = date(2026, 5, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000)
    count = parser.parse_args().items
    left, right = [], []
    for n in range(count):
        ours, theirs = _case(n)
        left += ours
        right += theirs
    left, right = left[:count], right[:count]
    began = time.perf_counter()
    found = matching.match(left, right)
    seconds = time.perf_counter() - began
    kinds = Counter(str(one.basis) for one in found.matches)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(left)} x {len(right)} items in {seconds:.1f} s, {peak} MB at most")
    print(", ".join(f"{name} {number}" for name, number in sorted(kinds.items())))
    print(f"left over: {len(found.left_over)} and {len(found.right_over)}")


def _case(n: int) -> tuple[list[Item], list[Item]]:
    """Return the items of one payment: most agree, one in ten is split or merged, some lack what would match them."""
    return tuple(map(list, _sides(n)))  # type: ignore[return-value]


def _sides(n: int) -> Iterator[list[Item]]:
    on, amount, reference = _DAY + timedelta(days=n % 30), 1_000 + n * 37 % 90_001, f"R{n:06d}"
    kind = n % 20
    whole = Item(f"l{n}", "CNY", amount, on, reference)
    if kind < 12:
        yield [whole]
        yield [Item(f"r{n}", "CNY", amount, on, reference)]
    elif kind < 16:
        yield [whole]
        yield [Item(f"r{n}", "CNY", amount, on + timedelta(days=3), reference)]
    elif kind == 16:  # split in three, with two strangers of the same reference
        parts = (amount // 2, amount // 3, amount - amount // 2 - amount // 3, 3, 5)
        yield [whole]
        yield [Item(f"r{n}.{k}", "CNY", part, on + timedelta(days=1), reference) for k, part in enumerate(parts)]
    elif kind == 17:
        yield [
            Item(f"l{n}.{k}", "CNY", part, on, reference) for k, part in enumerate((amount // 2, amount - amount // 2))
        ]
        yield [Item(f"r{n}", "CNY", amount, on, reference)]
    elif kind == 18:  # only the amount speaks for it
        yield [Item(f"l{n}", "CNY", 10_000_000 + n, on)]
        yield [Item(f"r{n}", "CNY", 10_000_000 + n, on + timedelta(days=1), f"?{n}")]
    else:  # ten candidates and no choice of them adds up: the dearest search
        yield [Item(f"l{n}", "CNY", 2 * amount + 1, on, reference)]
        yield [Item(f"r{n}.{k}", "CNY", 2 * (k + 1), on, reference) for k in range(10)] if n % 100 == 99 else []


if __name__ == "__main__":
    main()
