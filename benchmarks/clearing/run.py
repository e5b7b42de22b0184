"""Clear realistic books of a few sizes and print how long it took and how far the bound is away.

    python -m benchmarks.clearing.run [--seeds 3]

Ratios within one run are comparable, seconds between machines are not.
"""

import argparse
import time

from benchmarks.books import recipe
from exchange.clearing import engine

SIZES = (
    recipe.Size(orders=100, offers=20, slots=24),
    recipe.Size(orders=300, offers=50, slots=24),
    recipe.Size(orders=600, offers=100, slots=48, grid=4),
)


def main() -> None:
    """Print one line per book."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("orders x offers x slots (grid) | seed | seconds | welfare | bound over welfare | strict | method")
    for size in SIZES:
        for seed in range(options.seeds):
            book = recipe.book(size, seed)
            began = time.perf_counter()
            result = engine.clear(book)
            seconds = time.perf_counter() - began
            gap = result.outcome.bound / result.outcome.welfare - 1
            print(
                f"{size.orders} x {size.offers} x {size.slots} ({size.grid}) | {seed} | {seconds:.2f} | "
                f"{result.outcome.welfare / 1e6:.3f} | {gap:.2%} | {result.strict} | {result.stats.method}"
            )


if __name__ == "__main__":
    main()
