"""Clear one book in this process, then by one and by two real Celery workers, and compare the bytes.

    python -m benchmarks.rounds.workers [--orders 2400 --offers 200 --slots 48 --grid 4 --seed 0] [--workers 1 2]

PostgreSQL and the broker run in a directory of their own that is removed afterwards; the workers are processes of
their own, as in production. Exits 1 where any outcome differs.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django

from config import embedded


def main() -> int:
    """Start the services and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2_400)
    parser.add_argument("--offers", type=int, default=200)
    parser.add_argument("--slots", type=int, default=48)
    parser.add_argument("--grid", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exchange-benchmark-") as data:
        Path(data).chmod(0o711)  # an unprivileged server passes through to its own directory
        with embedded.running(Path(data), command="benchmark", exclusive=True) as services:
            # Django reads its settings at import, so only after the addresses are in the environment.
            os.environ.update(services.environment(), DJANGO_SETTINGS_MODULE="config.settings")
            django.setup()
            from benchmarks.rounds import crew

            size = crew.Size(options.orders, options.offers, options.slots, options.grid)
            return 0 if crew.all_agree(size, seed=options.seed, crews=options.workers) else 1


if __name__ == "__main__":
    sys.exit(main())
