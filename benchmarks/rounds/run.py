"""Run one round of a realistic book through a real database and print what each step took.

    python -m benchmarks.rounds.run [--orders 6000 --offers 400 --slots 96 --grid 4 --seed 0] [--profile settle]

PostgreSQL and the broker run in a directory of their own that is removed afterwards. Ratios within one run are
comparable, seconds between machines are not.
"""

import argparse
import os
import tempfile
from pathlib import Path

import django

from config import embedded, garbage


def main() -> None:
    """Start the services and run the round in their database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=6_000)
    parser.add_argument("--offers", type=int, default=400)
    parser.add_argument("--slots", type=int, default=96)
    parser.add_argument("--grid", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--profile", choices=("freeze", "clear", "settle"), default="", help="say where this step spends its time"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exchange-benchmark-") as data:
        Path(data).chmod(0o711)  # an unprivileged server passes through to its own directory
        with embedded.running(Path(data), command="benchmark", exclusive=True) as services:
            # Django reads its settings at import, so only after the addresses are in the environment.
            os.environ.update(services.environment(), DJANGO_SETTINGS_MODULE="config.settings")
            django.setup()
            from benchmarks.rounds import play

            garbage.leave_what_is_loaded()  # as a worker does
            play.a_round(
                play.Size(options.orders, options.offers, options.slots, options.grid),
                seed=options.seed,
                profiled=options.profile,
            )


if __name__ == "__main__":
    main()
