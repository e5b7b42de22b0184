"""One divisible product: the fast path against sorting the prices, pure Python, and ASSUME's pay-as-clear.

    python -m benchmarks.clearing.single_product [--assume-python PATH]

Half bids, half asks, 20,000 ticks, in one process on one core; the least of several runs each. ``--assume-python``
is the Python of an environment of its own with assume-framework 0.6.0 (``python -m venv ASSUME`` and
``ASSUME/bin/pip install assume-framework==0.6.0``): its market role is run there, in a process of its own, on up to
10,000 orders. It is quadratic, so its time for 100,000 is extrapolated from the last two sizes and says so.
"""

import argparse
import json
import math
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from exchange.clearing import single_product
from exchange.clearing.single_product import Side

TICKS = 20_000
TICK = 1_000
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ASSUME_SIZES = (5_000, 10_000)
DRIVER = Path(__file__).resolve().with_name("assume_pay_as_clear.py")

Rows = list[tuple[int, int, int]]  # price, lots, sequence


def sides(orders: int) -> tuple[Side, Side]:
    """Return seeded bids and asks."""
    draw = np.random.default_rng(orders)

    def side(first: int) -> Side:
        count = orders // 2
        prices = TICK * draw.integers(1, TICKS + 1, count)
        return Side(prices, draw.integers(1, 100, count), np.arange(first, first + count))

    return side(0), side(orders // 2)


def pure_python(bids: Rows, asks: Rows) -> tuple[int | None, list[int], list[int], int]:
    """Return price, fills and welfare by sorting and one loop, as one would write it without arrays."""
    wanted = sorted(range(len(bids)), key=lambda place: (-bids[place][0], bids[place][2]))
    offered = sorted(range(len(asks)), key=lambda place: (asks[place][0], asks[place][2]))
    bid_fills, ask_fills, welfare = [0] * len(bids), [0] * len(asks), 0
    at = left = 0
    buyer = seller = None
    for place in wanted:
        need = bids[place][1]
        while need and at < len(offered) and asks[offered[at]][0] <= bids[place][0]:
            buyer, seller = place, offered[at]
            left = left or asks[seller][1]
            lots = min(need, left)
            bid_fills[buyer] += lots
            ask_fills[seller] += lots
            welfare += lots * (bids[buyer][0] - asks[seller][0])
            need, left = need - lots, left - lots
            at += not left
        if need:
            break
    if buyer is None or seller is None:
        return None, bid_fills, ask_fills, 0
    unmet = next((bids[place][0] for place in wanted if bid_fills[place] < bids[place][1]), 0)
    lo = max(asks[seller][0], unmet)
    hi = min([bids[buyer][0], *(asks[place][0] for place in offered[at : at + 1])])
    return lo + (hi - lo) // 2, bid_fills, ask_fills, welfare


def least_seconds(run: Callable[[], object], times: int) -> float:
    """Return the shortest of several runs."""
    best = math.inf
    for _ in range(times):
        began = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - began)
    return best


def rows(side: Side) -> Rows:
    """Return a side as Python's integers."""
    return list(zip(side.prices.tolist(), side.quantities.tolist(), side.sequence.tolist(), strict=True))


def check(bids: Side, asks: Side, slow: tuple[int | None, list[int], list[int], int]) -> None:
    """Raise unless both ways say the same."""
    fast = single_product.match(bids, asks)
    same = (fast.price, fast.bid_fills.tolist(), fast.ask_fills.tolist(), fast.welfare) == slow
    if not same:
        raise SystemExit("the fast path and the pure loop disagree")


def assume_seconds(python: str, orders: int) -> float:
    """Return what ASSUME takes for the same orders, measured inside its own process."""
    bids, asks = sides(orders)
    book = [[price / 1e6, -lots] for price, lots, _ in rows(bids)] + [[p / 1e6, lots] for p, lots, _ in rows(asks)]
    python = str(Path(python).absolute())
    with tempfile.TemporaryDirectory() as folder:  # ASSUME writes its log where it is started
        done = subprocess.run(
            [python, DRIVER], input=json.dumps(book), capture_output=True, text=True, check=True, cwd=folder
        )
    return float(done.stdout)


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assume-python", metavar="PATH")
    options = parser.parse_args()
    fast: dict[int, float] = {}
    print("orders | fast path ms | np.sort ms | ratio | stable argsort ms | pure Python ms | pure Python / fast path")
    for orders in SIZES:
        bids, asks = sides(orders)
        prices, times = np.concatenate((bids.prices, asks.prices)), 200 if orders <= 100_000 else 10
        bid_rows, ask_rows = rows(bids), rows(asks)
        check(bids, asks, pure_python(bid_rows, ask_rows))
        fast[orders] = least_seconds(lambda: single_product.match(bids, asks), times)  # noqa: B023 - run at once
        sort = least_seconds(lambda: np.sort(prices), times)  # noqa: B023
        argsort = least_seconds(lambda: np.argsort(prices, kind="stable"), 5)  # noqa: B023
        pure = least_seconds(lambda: pure_python(bid_rows, ask_rows), 3)  # noqa: B023
        print(
            f"{orders} | {fast[orders] * 1e3:.2f} | {sort * 1e3:.3f} | {fast[orders] / sort:.1f} | "
            f"{argsort * 1e3:.2f} | {pure * 1e3:.1f} | {pure / fast[orders]:.0f}",
            flush=True,
        )
    if options.assume_python:
        print_assume(options.assume_python, fast)


def print_assume(python: str, fast: dict[int, float]) -> None:
    """Print what ASSUME takes, and what it would take for 100,000 orders."""
    taken = {orders: assume_seconds(python, orders) for orders in ASSUME_SIZES}
    few, many = ASSUME_SIZES
    power = math.log(taken[many] / taken[few]) / math.log(many / few)
    extrapolated = taken[many] * (100_000 / many) ** power
    print(f"ASSUME at {few}: {taken[few]:.2f} s, at {many}: {taken[many]:.2f} s, growing by the power {power:.2f}")
    print(f"ASSUME / fast path at {many}: {taken[many] / fast[many]:.0f}")
    print(f"ASSUME / fast path at 100000: {extrapolated / fast[100_000]:.0f} (extrapolated to {extrapolated:.0f} s)")


if __name__ == "__main__":
    main()
