"""Ask for previews of varied drafts on a realistic open book in a real database and print how long each took.

    python -m benchmarks.previews.run [--orders 2000 --offers 200 --slots 96 --grid 1 --drafts 400 --seed 0]

Each preview is a request through the whole stack of POST /v1/orders/preview, in this process, without a network.
PostgreSQL and the broker run in a directory of their own that is removed afterwards.
"""

import argparse
import os
import tempfile
from pathlib import Path

import django

from config import embedded


def main() -> None:
    """Start the services, write the book and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--offers", type=int, default=200)
    parser.add_argument("--slots", type=int, default=96)
    parser.add_argument("--grid", type=int, default=1)
    parser.add_argument("--drafts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exchange-benchmark-") as data:
        Path(data).chmod(0o711)  # an unprivileged server passes through to its own directory
        with embedded.running(Path(data), command="benchmark", exclusive=True) as services:
            # Django reads its settings at import, so only after the addresses are in the environment.
            os.environ.update(services.environment(), DJANGO_SETTINGS_MODULE="config.settings")
            django.setup()
            from benchmarks.books.recipe import Size
            from benchmarks.previews import ask

            size = Size(options.orders, options.offers, options.slots, options.grid)
            ask.measure(size, seed=options.seed, drafts=options.drafts)


if __name__ == "__main__":
    main()
