"""Ingest, rate and invoice a million random events, and compare every total with the oracle's; print the outcome.

    python -m benchmarks.usage.campaign [--events 1000000] [--contracts 40] [--seed 1]

Of the events that arrive 20 % are duplicates, 1 % conflict with what came before them or will, and 10 % are out of
their order. The oracle (`tests/billing/usage/oracle.py`) shares no code with ingest, rating or invoices.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from benchmarks.books.dice import Dice
from benchmarks.server import serve


def main() -> None:
    """Run it; exits with 1 where a total differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--contracts", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        serve(stack)
        from tests.billing.usage import oracle, stream

        stage, opened = stream.world(options.contracts)
        arrived = stream.arrivals(Dice(options.seed), options.events, len(opened))
        began = time.perf_counter()
        counts = stream.send(stage, [point for _, point in opened], arrived, batch=10_000)
        print(f"arrived | {options.events:,} | {counts} | {time.perf_counter() - began:.0f} s", flush=True)
        began, different, sums = time.perf_counter(), 0, [0, 0]
        for (contract, _), account in zip(opened, oracle.accepted(arrived, len(opened)), strict=True):
            found, expected = stream.bill(contract), oracle.totals(account)
            sums = [total + minor for total, minor in zip(sums, found, strict=True)]
            if found != expected:
                different += 1
                print(f"{contract} | billed {found} | expected {expected}", flush=True)
        print(f"billed | {len(opened)} contracts | {time.perf_counter() - began:.0f} s")
        print(f"fen to buyers, and from providers | {sums[0]:,} | {sums[1]:,}")
        print(f"different | {different}")
        sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
