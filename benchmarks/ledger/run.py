"""Post two-entry transactions through the ledger and, with the same statements, through pgbench; print the ratio.

    python -m benchmarks.ledger.run [--seconds 10] [--clients 4] [--durable]

Both sides work as the application role on the same tables with every guard in place: first with one row of the fee
account, then with the sixteen it has. A server of its own is started and removed.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from benchmarks.server import serve

WALLETS: Final = 200
_HERE: Final = Path(__file__).resolve().parent
_TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--durable", action="store_true", help="wait for the disk at each commit, as the exchange does")
    options = parser.parse_args()
    with ExitStack() as stack:
        programs = serve(stack, durable=options.durable).programs
        organisations = _prepare()
        print("fee account | pgbench a second | ledger.post a second | ratio")
        from billing.ledger.chart import SHARDS

        for shards in (1, SHARDS):
            bench = _pgbench(programs, options.clients, options.seconds, shards=shards)
            ours = _post_all(organisations, options.clients, options.seconds, shards=shards)
            print(f"{shards} rows | {bench:.0f} | {ours:.0f} | {ours / bench:.2f}", flush=True)
        _check_books()


def _prepare() -> list[UUID]:
    """Open the accounts of both sides; return the organisations with wallets, whose ids count in decimal digits."""
    from django.db import connection, transaction

    from accounts.organisations.models import Organisation
    from billing.ledger import services as ledger
    from billing.ledger.chart import SHARDS, Code
    from billing.ledger.rules import Source, credit, debit
    from tests.billing.ledger.books import NOW

    owners = [UUID(f"{number:032d}") for number in range(1, WALLETS + 1)]
    Organisation.objects.bulk_create(
        Organisation(
            id=owner, name=f"Lab {owner}", kind="lab", country="CN", status="active", can_buy=True, created_at=NOW
        )
        for owner in owners
    )
    with transaction.atomic():
        for number, owner in enumerate(owners):
            ledger.post(
                Source("top_up", UUID(int=number), "confirm"),
                [debit(Code.BANK, 10**12), credit(Code.WALLET, 10**12, owner)],
                currency="CNY",
                effective_at=NOW,
                now=NOW,
            )
        for shard in range(SHARDS):
            ledger.post(
                Source("fee", UUID(int=shard), "open"),
                [debit(Code.WALLET, 1, owners[shard]), credit(Code.FEE_INCOME, 1)],
                currency="CNY",
                effective_at=NOW,
                now=NOW,
            )
    connection.close()
    return owners


def _pgbench(programs: Path, clients: int, seconds: int, *, shards: int) -> float:
    """Return transactions a second of the statements in posting.sql."""
    address = urlsplit(os.environ["DATABASE_URL"])
    # The simple protocol, for Django's cursors bind on the client's side as well.
    command = [
        str(programs / "pgbench"), "--no-vacuum", "--protocol=simple", f"--client={clients}", "--jobs=1",
        f"--time={seconds}", f"--define=shards={shards}", f"--define=wallets={WALLETS}",
        "-f", str(_HERE / "posting.sql"), "-h", address.hostname or "", "-p", str(address.port),
        "-U", address.username or "", address.path.strip("/"),
    ]  # fmt: skip
    done = subprocess.run(
        command, env=os.environ | {"PGPASSWORD": address.password or ""}, capture_output=True, text=True, check=False
    )
    found = _TPS.search(done.stdout)
    if done.returncode or found is None:
        sys.exit(f"pgbench failed: {done.stderr[-2000:]}")
    return float(found[1])


def _post_all(organisations: list[UUID], clients: int, seconds: int, *, shards: int) -> float:
    """Return postings a second of so many processes, each with a connection of its own."""
    with ProcessPoolExecutor(clients) as workers:
        counts = workers.map(
            _post_for, [organisations] * clients, [seconds] * clients, [shards] * clients, range(clients)
        )
        return sum(counts)


def _post_for(organisations: list[UUID], seconds: int, shards: int, seed: int) -> float:
    """Post one fee after another; return how many a second."""
    from django.db import transaction

    from accounts.foundation import ids
    from billing.ledger import services as ledger
    from billing.ledger.chart import SHARDS, Code
    from billing.ledger.rules import Source, credit, debit
    from tests.billing.ledger.books import NOW

    made = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        source_id = ids.new_id()
        # Which row takes the fee follows from the source's id: here all fees meet in one, or in all of them in turn.
        source_id = UUID(int=source_id.int - source_id.int % SHARDS + made % shards)
        owner = organisations[(made * 7 + seed * 31) % len(organisations)]
        amount = 1 + made % 1_000
        with transaction.atomic():
            ledger.post(
                Source("fee", source_id, f"bench {seed}"),
                [debit(Code.WALLET, amount, owner), credit(Code.FEE_INCOME, amount)],
                currency="CNY",
                effective_at=NOW,
                now=NOW,
            )
        made += 1
    return made / (time.perf_counter() - began)


def _check_books() -> None:
    """The books are sound after it, whoever wrote: what the audit says of the ledger."""
    from django.db import connection

    from config.audit.books import BOOKS

    with connection.cursor() as cursor:
        broken = [i.code for i in BOOKS if i.code in {"L1", "L2", "L3", "L4", "L9"} and i.check(cursor).violations]
    print("audit of the ledger:", broken or "holds")


if __name__ == "__main__":
    main()
