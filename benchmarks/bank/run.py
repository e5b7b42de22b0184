"""Import a statement of 5,000 movements, in sets and movement by movement, and print how long each took.

    python -m benchmarks.bank.run [--movements 5000] [--slowly 1000]

Half of the movements quote their top-up, a quarter is recognised by the payer's account, the rest waits in suspense.
Movement by movement is the reference of the tests (`tests/billing/bank/slow.py`), on another statement of the same
make. Time is CPU of this process and the database, which other work on the machine does not lengthen.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from benchmarks.server import serve, worked

if TYPE_CHECKING:
    from tests.billing.payments import cast

NOW: Final = datetime(2026, 5, 1, 8, tzinfo=UTC)
PAYERS: Final = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movements", type=int, default=5_000)
    parser.add_argument("--slowly", type=int, default=1_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        server = serve(stack).process
        from billing.bank import services
        from tests.billing.bank import slow
        from tests.billing.payments import cast

        people = cast.make()
        services.import_statement(people.clerk, statement(people, "P", PAYERS), file_name="payers", now=NOW)
        slowly = statement(people, "S", options.slowly)
        rate = measured(
            "one after another", options.slowly, server, lambda: slow.import_statement(people.clerk, slowly, now=NOW)
        )
        text = statement(people, "F", options.movements)
        faster = measured(
            "in sets", options.movements, server,
            lambda: services.import_statement(people.clerk, text, file_name="f", now=NOW),
        )  # fmt: skip
        print(f"in sets {faster / rate:.1f} times as many movements per second of CPU")


def statement(people: "cast.Cast", prefix: str, count: int) -> str:
    """Announce top-ups, each of an amount of its own, and return a statement that pays them."""
    from billing.payments import services as payments
    from catalog.measures.money import Money
    from tests.billing.bank.files import csv_of

    rows = []
    for n in range(count):
        minor = 100_000 + (n if prefix != "S" else n + 50_000)
        payer = f"CN{n % PAYERS}"
        kind = n % 4 if prefix != "P" else 0
        quoted = ""
        if kind < 3:
            top_up = payments.request_top_up(people.trader, Money(minor, "CNY"), now=NOW)
            quoted = top_up.reference if kind < 2 else "with thanks"
        rows.append((f"{prefix}{n}", f"{minor // 100}.{minor % 100:02d}", quoted, payer))
    return csv_of(*rows)


def measured(name: str, count: int, server: int, run: Callable[[], object]) -> float:
    """Run, print, and return movements per CPU second."""
    began, before = time.perf_counter(), worked(server)
    run()
    seconds, cpu = time.perf_counter() - began, worked(server) - before
    print(f"{name}: {count} movements in {seconds:.1f} s, {cpu:.1f} CPU s, {count / cpu:.0f} per CPU second")
    return count / cpu


if __name__ == "__main__":
    main()
