"""Rate a million usage events into charges, on two processes; print seconds and memory.

    python -m benchmarks.usage.rating [--events 1000000] [--contracts 40] [--processes 2]

The events are readings of two meters, one flat and one with tiers, and allocation segments, evenly over contracts.
Rating takes 20,000 events a transaction, so that whoever stops it loses nothing; what tariffs of whole periods cost is
worked out at the end, as an invoice does. A server of its own is started and removed.
"""

import argparse
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import Any, Final
from uuid import UUID

from benchmarks.server import serve, worked
from config import garbage

_FILL: Final = """
    INSERT INTO billing_usageevent (
        organisation_id, source, event_id, id, kind, metering_point_id, contract_id, project_id, meter, starts_at,
        ends_at, quantity, reverses_source, reverses_event_id, occurred_at, received_at, payload, payload_hash)
    SELECT point.provider_id, 'bench', point.id || '-' || n,
           -- The time-ordered ids that ingest gives: version 7, in the order of n.
           (lpad(to_hex(1778000000000 + n), 12, '0') || '7' || substr(md5(point.id || n::text), 1, 3) || 'a'
               || substr(md5(n::text || point.id), 1, 15))::uuid,
           CASE WHEN n %% 10 = 0 THEN 'segment' ELSE 'reading' END, point.id, point.contract_id, contract.project_id,
           CASE WHEN n %% 10 = 0 THEN '' WHEN n %% 2 = 0 THEN 'egress_gb' ELSE 'storage_gb_months' END,
           point.starts_at + n * interval '2 seconds', point.starts_at + (n + 1) * interval '2 seconds',
           CASE WHEN n %% 10 = 0 THEN n %% 17 ELSE (n %% 1000) / 8.0 END, '', '',
           point.starts_at + (n + 1) * interval '2 seconds', point.starts_at + interval '25 hours', '{}',
           encode(sha256('{}'), 'hex')
    FROM billing_meteringpoint point JOIN billing_contract contract ON contract.id = point.contract_id,
    LATERAL generate_series(0, %s - 1) AS n
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--contracts", type=int, default=40)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    each = options.events // options.contracts
    if not 0 < each <= 43_000:
        parser.error(f"{each} events a contract were asked for; expected 1 to 43000, one in two seconds of a day")
    with ExitStack() as stack:
        server = serve(stack).process
        contracts = _contracts(options.contracts)
        _fill(each)
        began, before = time.perf_counter(), worked(server)
        with ProcessPoolExecutor(options.processes, initializer=garbage.leave_what_is_loaded) as pool:
            found = list(pool.map(rate, contracts))
        seconds, cpu = time.perf_counter() - began, worked(server) - before
        events = sum(count for count, _ in found)
        print(f"rated | {events:,} events in {seconds:.1f} s, {events / seconds:,.0f} a second")
        print(f"work | {cpu:.1f} CPU seconds, {cpu / 2:.1f} s on two cores that do nothing else")
        print(f"charges | {_count('billing_charge'):,}")
        print(f"memory of a process | {max(memory for _, memory in found) // 1024} MB at most")
        assert events == each * options.contracts, events


def rate(contract_id: UUID) -> tuple[int, int]:
    """Rate one contract; return how many events, and the most memory that this process ever took, in kB."""
    import django

    django.setup()
    from django.db import transaction

    from billing.contracts import services as contracts
    from billing.rating import services as rating
    from tests.billing.delivery import AFTER

    events = 0
    while more := rating.rate_ahead(contract_id, until=AFTER, now=AFTER):
        events += more
    with transaction.atomic():
        rating.rate_pending(contracts.locked(contract_id), until=AFTER, now=AFTER)
    return events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _contracts(count: int) -> list[UUID]:
    """Make contracts of a day whose rate card has a flat price and one with tiers."""
    from django.db import connection, transaction

    from catalog.measures.tariffs import PriceModel, Tier
    from catalog.offerings import services as offerings
    from catalog.offerings.services import Rate
    from tests.billing import delivery

    tiers = (Tier(1_000, 500_000), Tier(100_000, 400_000), Tier(None, 300_000))
    rates = [
        Rate("egress_gb", 500_000, model=PriceModel.GRADUATED, tiers=tiers),
        Rate("storage_gb_months", 120_000),
    ]
    with transaction.atomic():
        stage = delivery.stage()
        delivery.fund(stage.buyer, 10**12)
        offerings.publish_rate_card(
            stage.seller, stage.offering.id, rates, currency="CNY", effective_from=delivery.PLACED, now=delivery.PLACED
        )
        found = []
        for _ in range(count):
            runs = [delivery.slot(stage, hour, hour + 1, 16, 9_000_000 + hour) for hour in range(24)]
            contract = delivery.contract(stage, runs)
            delivery.point(contract, stage.offering)
            found.append(contract.id)
    connection.close()
    return found


def _fill(each: int) -> None:
    """Store the events of every contract as if they had been accepted."""
    import psycopg
    from django.db import connection

    name: Any = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["SUPERUSER_URL"], dbname=name) as superuser:
        superuser.execute(_FILL, [each])
        superuser.commit()
        superuser.autocommit = True
        superuser.execute("ANALYZE billing_usageevent")


def _count(table: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  # a name of ours
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
