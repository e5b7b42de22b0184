"""Ingest usage events into a table that has five million, beside a COPY of the same rows; print the ratio.

    python -m benchmarks.usage.ingest [--stored 5000000] [--batches 20]

A batch is 10,000 events as newline-delimited JSON: new readings, and one in ten of them sent before. Ours is all that
becomes of a request's body until its answer is text: decoding, validation, deduplication, insertion, one result per
item. The COPY is of the rows that came of it, into a table of the same columns without an index, a constraint or a
trigger, and once more into the table of usage itself, with all of them. A server of its own is started and removed.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.server import serve, worked
from config import garbage

BATCH: Final = 10_000
COLUMNS: Final = (
    "organisation_id, source, event_id, id, kind, metering_point_id, contract_id, project_id, meter, starts_at,"
    " ends_at, quantity, reverses_source, reverses_event_id, occurred_at, received_at, payload, payload_hash"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=5_000_000)
    parser.add_argument("--batches", type=int, default=20)
    options = parser.parse_args()
    with ExitStack() as stack:
        server = serve(stack).process
        points = _points()
        began = time.perf_counter()
        _fill(points[0], options.stored)
        print(f"filled | {time.perf_counter() - began:.0f} s", flush=True)
        garbage.leave_what_is_loaded()  # as a process of the web server does
        ours, plain, guarded = _Clock(server), _Clock(server), _Clock(server)
        for number in range(options.batches):
            body = _body(points, number)
            with ours:
                fresh = _ingest(body)
            assert fresh == (BATCH if number == 0 else BATCH * 9 // 10), fresh
            text = _text(fresh)
            # Beside it, so that whatever else the machine does meets all three alike.
            _copy(text, into="plain", clock=plain)
            _copy(text, into="billing_usageevent", clock=guarded)
        events, rows = options.batches * BATCH, options.batches * BATCH * 9 // 10 + BATCH // 10
        print(f"stored before | {options.stored:,}")
        print("what | a second | a CPU second | ratio | ratio of CPU seconds")
        print(f"ingest | {events / ours.seconds:,.0f} | {events / ours.worked:,.0f} | |")
        for name, clock in (("COPY, plain table", plain), ("COPY, table of usage", guarded)):
            per_second, per_worked = rows / clock.seconds, rows / clock.worked
            ratios = f"{events / ours.seconds / per_second:.2f} | {events / ours.worked / per_worked:.2f}"
            print(f"{name} | {per_second:,.0f} | {per_worked:,.0f} | {ratios}")


@dataclass
class _Clock:
    """Adds up the seconds that pass, and that this process and the server work, inside `with`."""

    server: int
    seconds: float = 0
    worked: float = 0

    def __enter__(self) -> None:
        self.worked -= worked(self.server)
        self.seconds -= time.perf_counter()

    def __exit__(self, *raised: object) -> None:
        self.seconds += time.perf_counter()
        self.worked += worked(self.server)


def _points() -> Sequence[Any]:
    """Make a provider with contracts, each metered for a day."""
    from django.db import transaction

    from tests.billing import delivery

    with transaction.atomic():
        stage = delivery.stage()
        delivery.fund(stage.buyer, 10**12)
        run = delivery.slot(stage, 0, 24, 16, 9_000_000)
        points = [delivery.point(delivery.contract(stage, [run]), stage.offering) for _ in range(50)]
    globals()["STAGE"] = stage
    return points


def _fill(point: Any, count: int) -> None:
    """Store events as if they had been accepted long ago. The superuser's session skips what checks foreign keys."""
    import psycopg

    with psycopg.connect(os.environ["SUPERUSER_URL"], dbname=_database()) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET work_mem = '256MB'")
        for first in range(0, count, 500_000):
            connection.execute(_FILL, [point.provider_id, first, min(count, first + 500_000) - 1, str(point.id)])
            connection.commit()
        connection.execute("SET session_replication_role = origin")
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE billing_usageevent")


def _database() -> str:
    from django.db import connection

    return str(connection.settings_dict["NAME"])


_FILL: Final = f"""
    INSERT INTO billing_usageevent ({COLUMNS})
    SELECT %s, '//agent/zjk-1', 'old-' || n, gen_random_uuid(), 'reading', point.id, point.contract_id,
           contract.project_id, 'egress_gb', point.starts_at, point.starts_at + interval '1 hour', 1, '', '',
           point.starts_at + interval '1 hour', point.starts_at + interval '2 hours', made.payload,
           encode(sha256(convert_to(made.payload, 'UTF8')), 'hex')
    FROM generate_series(%s::bigint, %s) AS n
    JOIN billing_meteringpoint point ON point.id = %s
    JOIN billing_contract contract ON contract.id = point.contract_id,
    LATERAL (SELECT repeat('x', 300) || n AS payload) AS made
"""  # noqa: S608  # a list of columns of ours


def _body(points: Sequence[Any], number: int) -> bytes:
    """Spell a batch: readings of every point, minute by minute; each tenth event is one of the batch before."""
    lines = [
        json.dumps(
            _event(points, number - 1, place + 1) if place % 10 == 0 and number else _event(points, number, place)
        )
        for place in range(BATCH)
    ]
    return "\n".join(lines).encode()


def _event(points: Sequence[Any], number: int, place: int) -> dict[str, Any]:
    from tests.billing import delivery

    point = points[place % len(points)]
    start = delivery.DAY + timedelta(minutes=(place // len(points) + 7 * number) % 1_400)
    end = _utc(start + timedelta(minutes=1))
    measured = {"lease": _spelled(point), "meter": "egress_gb", "start": _utc(start), "end": end}
    event_id = f"meter-{place % len(points)}/egress/{number:06d}/{place:06d}"
    return delivery.event(event_id, "reading", measured | {"quantity": f"{place % 997}.{number:03d}"}, time=end)


def _spelled(point: Any) -> str:
    from accounts.foundation import ids

    return ids.spell("lse", point.reference_id)


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _ingest(body: bytes) -> int:
    """Do what becomes of a request's body until its answer is text; return how many events were accepted."""
    from rest_framework.renderers import JSONRenderer

    from billing.usage import services as usage
    from billing.usage.api import LinesParser
    from billing.usage.serializers import batch_document
    from tests.billing import delivery

    answer = batch_document(usage.ingest(globals()["STAGE"].agent, LinesParser().document(body), now=delivery.AFTER))
    JSONRenderer().render(answer)
    assert answer["accepted"] + answer["duplicate"] == BATCH, answer
    return int(answer["accepted"])


def _text(fresh: int) -> bytes:
    """Return the rows that the last batch made, as text for COPY, from another source."""
    from django.db import connection

    query = f"SELECT {COLUMNS} FROM billing_usageevent ORDER BY id DESC LIMIT {fresh}"  # noqa: S608  # our own words
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy).replace(b"//agent/zjk-1", b"//agent/zjk-2")


def _copy(text: bytes, *, into: str, clock: _Clock) -> None:
    """Add the time of a COPY to a clock; it is rolled back."""
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            if into == "plain":
                cursor.execute("CREATE TEMP TABLE plain AS SELECT * FROM billing_usageevent LIMIT 0")
            with clock:
                with cursor.copy(f"COPY {into} ({COLUMNS}) FROM STDIN") as copy:
                    copy.write(text)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check
        transaction.set_rollback(True)


if __name__ == "__main__":
    main()
