"""Invoice a month: 10,000 contracts with 500,000 charges, by two workers that take the jobs of the run.

    python -m benchmarks.invoices.run [--contracts 10000] [--charges 50] [--workers 2] [--kills 0]

Half of the contracts are prepaid, half are on credit, of 200 buyers; four charges in five are capacity, the rest
traffic. With `--kills` a worker is killed (SIGKILL) that often while the run is under way, and another takes its
place. At the end the numbers are counted, and the invariants of documents and books looked at. A server of its own
is started and removed; nothing is printed as PDF.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.books.dice import Dice
from benchmarks.server import serve, worked

BUYERS: Final = 200
DAYS: Final = 40  # of each contract, over the end of a month
PRICE_MICROS: Final = 10_000_000

# An event and its charge, as ingest and rating leave them: an hour of four cards, or some traffic.
_EVENTS: Final = """
    INSERT INTO billing_usageevent (
        organisation_id, source, event_id, id, kind, metering_point_id, contract_id, project_id, meter, starts_at,
        ends_at, quantity, reverses_source, reverses_event_id, occurred_at, received_at, payload, payload_hash)
    SELECT point.provider_id, '//agent/zjk-1', point.id || '-' || n, gen_random_uuid(),
           CASE WHEN n % 5 = 0 THEN 'reading' ELSE 'segment' END, point.id, point.contract_id, contract.project_id,
           CASE WHEN n % 5 = 0 THEN 'egress_gb' ELSE '' END,
           point.starts_at + n * interval '1 hour', point.starts_at + (n + 1) * interval '1 hour',
           CASE WHEN n % 5 = 0 THEN n / 8.0 ELSE 4 END, '', '', point.starts_at + (n + 1) * interval '1 hour',
           point.starts_at + (n + 1) * interval '1 hour', '{}', encode(sha256('{}'), 'hex')
    FROM billing_meteringpoint point JOIN billing_contract contract ON contract.id = point.contract_id,
    LATERAL generate_series(1, :charges) AS n
"""
_CHARGES: Final = """
    INSERT INTO billing_charge (
        id, contract_id, usage_event_id, n, kind, offering_id, slot_id, unit, price_micros, base_quantity, raw_quantity,
        raw_per_unit, starts_at, ends_at, rated_at)
    SELECT gen_random_uuid(), event.contract_id, event.id, 0,
           CASE event.kind WHEN 'segment' THEN 'delivered' ELSE 'metered' END, point.offering_id,
           CASE event.kind WHEN 'segment' THEN slot.id END,
           CASE event.kind WHEN 'segment' THEN slot.unit ELSE event.meter END,
           CASE event.kind WHEN 'segment' THEN slot.price_micros ELSE 500000 END, 1,
           CASE event.kind WHEN 'segment' THEN event.quantity * 3600 ELSE event.quantity END,
           CASE event.kind WHEN 'segment' THEN 3600 ELSE 1 END, event.starts_at, event.ends_at, event.received_at
    FROM billing_usageevent event JOIN billing_meteringpoint point ON point.id = event.metering_point_id
    JOIN billing_contractslot slot ON slot.contract_id = event.contract_id
     AND slot.starts_at <= event.starts_at AND event.ends_at <= slot.ends_at
"""


def main() -> None:
    """Measure and print; exits with 1 where a number or an invariant is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contracts", type=int, default=10_000)
    parser.add_argument("--charges", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)  # what a worker is started with
    options = parser.parse_args()
    if options.work:
        work()
        return
    with ExitStack() as stack:
        server = serve(stack).process
        until = fill(options.contracts, options.charges)
        from billing.invoices import months

        jobs = months.enqueue_due(now=until + months.GRACE)
        began, before = time.perf_counter(), worked(server)
        kills = run(options.workers, options.kills)
        seconds, cpu = time.perf_counter() - began, worked(server) - before
        print(f"contracts | {options.contracts:,} in {jobs} jobs, {options.workers} workers, {kills} killed")
        print(f"seconds | {seconds:.1f}")
        print(f"CPU seconds | {cpu:.1f}, {cpu / 2:.1f} s on two cores that do nothing else")
        sys.exit(0 if is_whole(options.contracts, options.contracts * options.charges) else 1)


def run(workers: int, kills: int) -> int:
    """Let workers take jobs until none is left; kill one at a time at random. Returns how many were killed."""
    command = [sys.executable, "-m", "benchmarks.invoices.run", "--work"]
    running = [subprocess.Popen(command) for _ in range(workers)]
    dice, killed = Dice(1), 0
    while running:
        time.sleep(dice.between(5, 30) / 10 if killed < kills else 0.2)
        running = [worker for worker in running if worker.poll() is None]
        if killed < kills and running:
            victim = running.pop(0)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            killed += 1
            running.append(subprocess.Popen(command))
    return killed


def work() -> None:
    """Do jobs until none is due; print what memory it took after the first and after the last."""
    import django

    django.setup()
    from accounts.foundation import clock
    from accounts.jobs import services as jobs

    first = done = 0
    while jobs.run_due(limit=1, now=clock.now()):
        done += 1
        first = first or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"worker | {done} jobs | {first // 1024} MB after the first, {last // 1024} MB at the end", flush=True)


def fill(contracts: int, charges: int) -> datetime:
    """Make the month and return its end."""
    from django.db import transaction

    from billing.invoices import months
    from tests.billing import delivery

    assert charges < DAYS * 24 // 2, charges
    with transaction.atomic():
        stage = delivery.stage()
        buyers = _buyers(stage, contracts)
    for first in range(0, contracts, 500):
        with transaction.atomic():
            _open(stage, buyers, range(first, min(contracts, first + 500)))
    _as_superuser(_EVENTS.replace(":charges", str(charges)))
    _as_superuser(_CHARGES)
    return months.last_end(delivery.DAY + timedelta(days=DAYS - 10))


def _buyers(stage: Any, contracts: int) -> list[Any]:
    from accounts.organisations.rules import OrganisationKind
    from tests.billing import delivery
    from tests.catalog import cast

    buyers = [
        cast.organisation(f"Lab {n}", kind=OrganisationKind.LAB, can_buy=True) for n in range(min(BUYERS, contracts))
    ]
    for buyer in buyers:
        delivery.fund(buyer, 10**12)
    return buyers


def _open(stage: Any, buyers: list[Any], numbers: range) -> None:
    """Open contracts with their holds and leases, the even ones prepaid."""
    from accounts.foundation import ids
    from accounts.projects.models import Project
    from billing.contracts import services as contracts
    from billing.contracts.services import Agreement
    from billing.ledger import services as ledger
    from billing.ledger.rules import Source
    from tests.billing import delivery

    projects = dict(Project.objects.values_list("organisation_id", "id"))
    slot = delivery.slot(stage, 0, 24 * DAYS, 4, PRICE_MICROS)
    agreements = []
    for n in numbers:
        buyer, source = buyers[n % len(buyers)], Source("order", ids.new_id(), "fill")
        hold_id = None
        if n // len(buyers) % 2 == 0:
            worth = 24 * DAYS * 4 * PRICE_MICROS // 10_000
            hold = ledger.place_hold(
                buyer.id,
                worth * 10706 // 10000 + 2,
                currency="CNY",
                source=source,
                project_id=projects[buyer.id],
                now=delivery.PLACED,
            )
            hold_id = hold.id
        agreements.append(
            Agreement(
                source=source,
                buyer_id=buyer.id,
                provider_id=stage.provider.id,
                project_id=projects[buyer.id],
                market_code="ai-cards",
                currency="CNY",
                slots=[slot],
                hold_id=hold_id,
            )
        )
    for contract in contracts.open_contracts(delivery.SYSTEM, agreements, at_most_minor={}, now=delivery.PLACED):
        delivery.point(contract, stage.offering)


def _as_superuser(statement: str) -> None:
    """Run a statement without what checks foreign keys row by row, and let the planner know of what it made."""
    import psycopg
    from django.db import connection

    with psycopg.connect(os.environ["SUPERUSER_URL"], dbname=str(connection.settings_dict["NAME"])) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(statement)
        superuser.commit()
        superuser.autocommit = True
        superuser.execute("ANALYZE")


def is_whole(contracts: int, charges: int) -> bool:
    """Count numbers and what is billed, and look at the invariants of documents and books; print what is found."""
    from django.db import connection
    from django.db.models import Count, Max, Min

    from billing.invoices.models import BilledCharge, Invoice, InvoiceCounter
    from config.audit.checks import ALL

    found = Invoice.objects.aggregate(Count("id"), Min("n"), Max("n"), Count("contract", distinct=True))
    counter = InvoiceCounter.objects.get(series="INV").last
    billed = BilledCharge.objects.count()
    print(f"numbers | {found['n__min']} to {found['n__max']}, {found['id__count']:,} documents, counter {counter:,}")
    print(f"billed | {billed:,} charges, {found['contract__count']:,} contracts")
    whole = found["id__count"] == found["n__max"] == counter == found["contract__count"] == contracts
    # L7 and L8 know of no top-ups that were only posted.
    with connection.cursor() as cursor:
        wrong = [one.code for one in ALL if one.code[0] in "ILW" and one.code != "L8" and one.check(cursor).violations]
    print(f"invariants of documents and books | {', '.join(wrong) or 'all hold'}")
    return whole and found["n__min"] == 1 and billed == charges and not wrong


if __name__ == "__main__":
    main()
