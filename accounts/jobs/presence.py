"""Whether the worker that has claimed a job still lives.

A worker holds an advisory lock of its session for as long as it does a job. PostgreSQL lets go of
it as the worker's connection ends, so a killed worker's jobs are taken over at the next look and
not when the lease is over. The lease remains for workers that hang, and for poolers between.
"""

from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

_SPACE: Final = 0x6A6F62  # "job": the first half of the lock's name; the second is the hash of the id

# Two jobs of one hash hold one lock: then only the lease tells.
_HELD: Final = """
    EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s
          AND objid = (hashtext(accounts_job.id::text)::bigint & 4294967295)::oid
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""


def is_worked_on() -> RawSQL:
    """Return the expression, over rows of jobs, that some connection says it is doing the job."""
    return RawSQL(_HELD, [_SPACE], output_field=BooleanField())  # noqa: S611  # constant text and a constant


def announce(job_id: UUID) -> None:
    """Say that this connection does the job, from before the claim is committed."""
    _call("pg_try_advisory_lock", job_id)


def withdraw(job_id: UUID) -> None:
    """Say that it does so no longer, after how it went is committed."""
    _call("pg_advisory_unlock", job_id)


def _call(function: str, job_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, hashtext(%s))", [_SPACE, str(job_id)])
