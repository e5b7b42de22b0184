"""Putting work into rows, and doing it: claimed one at a time, done outside the claim, safe to repeat."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import clock, ids
from accounts.foundation.errors import NotFound
from accounts.jobs import doorbell, presence, registry
from accounts.jobs.errors import LeaseLost
from accounts.jobs.models import Job
from accounts.jobs.rules import MAXIMUM_ATTEMPTS, JobState, wait_after

logger = logging.getLogger(__name__)

_LONGEST_ERROR = 2000  # characters kept of a failure


def enqueue(
    kind: str, key: str, payload: Mapping[str, Any] | None = None, *, now: datetime, due_at: datetime | None = None
) -> Job:
    """Write down work in the present transaction; the same kind and key a second time returns the first row."""
    due_at = due_at or now
    job = Job(kind=kind, key=key, state=JobState.PENDING, due_at=due_at, payload=dict(payload or {}), created_at=now)
    Job.objects.bulk_create([job], ignore_conflicts=True)  # waits for another transaction that writes the same key
    if due_at <= now:
        # Robust: a broker that is away must not stop what else follows the commit.
        transaction.on_commit(doorbell.ring, robust=True)
    return Job.objects.get(kind=kind, key=key)


def run_due(*, limit: int, now: datetime) -> int:
    """Do up to `limit` jobs that are due at `now`, oldest first, and return how many were claimed.

    Leases count from `now`, so a caller on the real clock passes a fresh `now` for each job.
    """
    for done in range(limit):
        job = _claim(now=now)
        if job is None:
            return done
        try:
            _run(job, now=now)
        finally:
            presence.withdraw(job.id)
    return limit


@transaction.atomic
def _claim(*, now: datetime) -> Job | None:
    lost = Q(lease_until__lte=now) | Q(worked_on=False)
    due = Q(state=JobState.PENDING, due_at__lte=now) | Q(lost, state=JobState.RUNNING)
    # SKIP LOCKED: workers that look at the same moment take different rows instead of waiting.
    job = (
        Job.objects.annotate(worked_on=presence.is_worked_on())
        .select_for_update(skip_locked=True)
        .filter(due, kind__in=registry.kinds())
        .order_by("due_at", "id")
        .first()
    )
    if job is None:
        return None
    job.state = JobState.RUNNING
    job.attempt += 1
    job.lease_until = now + timedelta(seconds=registry.handler_of(job.kind).lease_seconds)
    job.save(update_fields=["state", "attempt", "lease_until"])
    presence.announce(job.id)
    return job


def _run(job: Job, *, now: datetime) -> None:
    if job.attempt > MAXIMUM_ATTEMPTS:
        # Its workers died: an attempt that fails in an orderly way is counted in _fail.
        _park(job, f"The lease ran out {MAXIMUM_ATTEMPTS} times.", now=now)
        return
    handler = registry.handler_of(job.kind)
    try:
        handler.run(job.key, job.payload, renew=lambda: _renew(job, handler.lease_seconds))
    except LeaseLost as error:
        logger.warning("%s", error)
    except Exception as error:  # whatever fails is kept on the row and tried again: the worker goes on
        logger.exception("job %s %s failed at attempt %s", job.kind, job.key, job.attempt)
        _fail(job, error, now=now)
    else:
        _finish(job, state=JobState.DONE, finished_at=now, last_error="")


def _renew(job: Job, lease_seconds: int) -> None:
    until = clock.now() + timedelta(seconds=lease_seconds)
    if not _claimed(job).update(lease_until=until):
        raise LeaseLost(str(job))


def _fail(job: Job, error: Exception, *, now: datetime) -> None:
    text = f"{_named(type(error))}{error}"[:_LONGEST_ERROR].replace("\x00", "")
    if job.attempt >= MAXIMUM_ATTEMPTS:
        _park(job, text, now=now)
    else:
        _finish(job, state=JobState.PENDING, due_at=now + wait_after(job.attempt), last_error=text)


@transaction.atomic
def _park(job: Job, reason: str, *, now: datetime) -> None:
    """Put a job aside and tell the staff: nothing goes on with it until a person has it tried again."""
    if not _finish(job, state=JobState.PARKED, last_error=reason):
        return
    logger.error("job %s %s is parked: %s", job.kind, job.key, reason)
    said = {"job": ids.spell("job", job.id), "kind": job.kind, "key": job.key, "reason": reason}
    events.emit("job.parked", "job", job.id, None, said, now=now)


def _finish(job: Job, **changes: Any) -> bool:
    """Write down what became of the present attempt; False when another worker has taken the job over."""
    finished = bool(_claimed(job).update(lease_until=None, **changes))
    if not finished:
        logger.warning("job %s %s was taken over by another worker", job.kind, job.key)
    return finished


def _claimed(job: Job) -> Any:
    # The attempt is the token of the claim: a later one has a higher number.
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, attempt=job.attempt)


@transaction.atomic
def unpark(actor: Actor, job_id: UUID, *, now: datetime) -> Job:
    """Try a parked job again from its first attempt, after a person has looked at it."""
    actor.require(Capability.OPERATE)
    job = Job.objects.select_for_update().filter(pk=job_id, state=JobState.PARKED).first()
    if job is None:
        raise NotFound
    _again(actor, job, now=now)
    return job


@transaction.atomic
def resume(actor: Actor, cause: type[Exception], *, now: datetime) -> int:
    """Try every job again that was parked by an error of exactly this class, whose cause is over; returns how many.

    Whoever sees that an outside service answers again calls this: nobody has to look at what only waited for it.
    """
    actor.require(Capability.OPERATE)
    parked = Job.objects.filter(state=JobState.PARKED, last_error__startswith=_named(cause))
    # SKIP LOCKED: what somebody else is having tried again just now need not be waited for.
    waiting = list(parked.select_for_update(skip_locked=True).order_by("id"))
    for job in waiting:
        _again(actor, job, now=now)
    return len(waiting)


def _again(actor: Actor, job: Job, *, now: datetime) -> None:
    job.state, job.attempt, job.due_at = JobState.PENDING, 0, now
    job.save(update_fields=["state", "attempt", "due_at"])
    audit.record(actor, "job.unpark", "job", job.id, {"state": JobState.PARKED}, {"state": JobState.PENDING}, now=now)
    transaction.on_commit(doorbell.ring, robust=True)


def _named(kind: type[Exception]) -> str:
    """Return what the kept text of a failure begins with."""
    return f"{kind.__name__}: "
