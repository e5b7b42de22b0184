"""Jobs: each is done, once if all goes well, again after a failure, and by somebody else after a death."""

import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.foundation.errors import NotFound
from accounts.jobs import presence, registry, services
from accounts.jobs.errors import LeaseLost
from accounts.jobs.models import Job
from accounts.jobs.registry import Renew
from accounts.jobs.rules import MAXIMUM_ATTEMPTS, JobState, wait_after
from accounts.organisations.models import User
from config.embedded import processes
from tests.accounts import cast
from tests.accounts.cast import NOW
from tests.races.together import together

KIND = "test_kind"


class Worker:
    """A handler that notes what it did and fails when it is told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failing = False

    def __call__(self, key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
        if self.failing:
            raise RuntimeError("out of paper")
        self.done.append(key)


@pytest.fixture
def worker(db: None) -> Iterator[Worker]:
    """A kind of job of the test's own."""
    handler = Worker()
    registry.register(KIND, handler, lease_seconds=60)
    yield handler
    registry.unregister(KIND)


def _job(key: str = "a") -> Job:
    return Job.objects.get(kind=KIND, key=key)


def test_a_job_is_done_once(worker: Worker) -> None:
    services.enqueue(KIND, "a", {"n": 1}, now=NOW)

    assert services.run_due(limit=10, now=NOW) == 1
    assert services.run_due(limit=10, now=NOW) == 0

    assert worker.done == ["a"]
    assert (_job().state, _job().finished_at, _job().lease_until) == (JobState.DONE, NOW, None)


def test_the_same_work_is_written_down_once(worker: Worker) -> None:
    first = services.enqueue(KIND, "a", {"n": 1}, now=NOW)
    second = services.enqueue(KIND, "a", {"n": 2}, now=NOW)

    assert first.id == second.id
    assert _job().payload == {"n": 1}


def test_work_that_was_rolled_back_was_never_asked_for(worker: Worker) -> None:
    with transaction.atomic():
        services.enqueue(KIND, "a", now=NOW)
        transaction.set_rollback(True)

    assert services.run_due(limit=10, now=NOW) == 0


def test_jobs_wait_until_they_are_due_and_go_oldest_first(worker: Worker) -> None:
    services.enqueue(KIND, "later", now=NOW, due_at=NOW + timedelta(minutes=1))
    services.enqueue(KIND, "second", now=NOW)
    services.enqueue(KIND, "first", now=NOW, due_at=NOW - timedelta(minutes=1))

    assert services.run_due(limit=10, now=NOW) == 2
    assert worker.done == ["first", "second"]
    assert services.run_due(limit=10, now=NOW + timedelta(minutes=1)) == 1


def test_the_limit_is_kept(worker: Worker) -> None:
    for key in "abc":
        services.enqueue(KIND, key, now=NOW)

    assert services.run_due(limit=2, now=NOW) == 2
    assert len(worker.done) == 2


def test_a_failed_job_is_tried_again_after_a_growing_pause(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)
    worker.failing = True

    services.run_due(limit=10, now=NOW)

    assert (_job().state, _job().last_error) == (JobState.PENDING, "RuntimeError: out of paper")
    assert _job().due_at == NOW + wait_after(1)
    assert services.run_due(limit=10, now=NOW) == 0
    worker.failing = False
    assert services.run_due(limit=10, now=NOW + wait_after(1)) == 1
    assert (_job().state, _job().last_error) == (JobState.DONE, "")


def test_a_job_that_always_fails_is_parked_and_no_longer_tried(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)
    worker.failing = True
    moment = NOW
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        assert services.run_due(limit=1, now=moment) == 1
        moment += wait_after(attempt)

    assert _job().state == JobState.PARKED
    assert services.run_due(limit=1, now=moment + timedelta(days=1)) == 0


def _parked(worker: Worker) -> Job:
    services.enqueue(KIND, "a", now=NOW)
    worker.failing = True
    moment = NOW
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        services.run_due(limit=1, now=moment)
        moment += wait_after(attempt)
    return _job()


def test_the_staff_is_told_of_a_parked_job(worker: Worker) -> None:
    job = _parked(worker)

    told = Event.objects.get(type="job.parked")
    assert (told.organisation_id, told.subject_id) == (None, job.id)
    assert told.payload["reason"] == "RuntimeError: out of paper"


def test_the_command_shows_parked_jobs_and_has_one_tried_again(worker: Worker) -> None:
    job, shown = _parked(worker), StringIO()

    call_command("jobs", stdout=shown)
    assert f"{ids.spell('job', job.id)}  {KIND} a: RuntimeError: out of paper" in shown.getvalue()
    worker.failing = False
    call_command("jobs", retry=ids.spell("job", job.id), stdout=shown)

    assert services.run_due(limit=1, now=clock.now()) == 1
    assert worker.done == ["a"]


@pytest.mark.parametrize("which", ["job_00000000000000000000000000", "ord_00000000000000000000000000", "x"])
def test_the_command_refuses_what_is_not_parked(db: None, which: str) -> None:
    with pytest.raises(CommandError, match="No parked job"):
        call_command("jobs", retry=which)


def test_an_operator_can_have_a_parked_job_tried_again(worker: Worker, platform_admin: User, lab_admin: User) -> None:
    services.enqueue(KIND, "a", now=NOW)
    Job.objects.filter(key="a").update(state=JobState.RUNNING, lease_until=NOW)
    Job.objects.filter(key="a").update(state=JobState.PARKED, lease_until=None)

    services.unpark(cast.acting(platform_admin), _job().id, now=NOW)

    assert services.run_due(limit=1, now=NOW) == 1
    assert worker.done == ["a"]
    with pytest.raises(NotFound):
        services.unpark(cast.acting(platform_admin), _job().id, now=NOW)


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [wait_after(attempt) for attempt in range(1, 20)]

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=2), timedelta(minutes=10))


def test_the_job_of_a_dead_worker_is_taken_over_when_its_lease_ends(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)
    claimed = services._claim(now=NOW)  # and the worker dies
    assert claimed is not None

    assert services.run_due(limit=1, now=NOW + timedelta(seconds=59)) == 0
    assert services.run_due(limit=1, now=NOW + timedelta(seconds=60)) == 1

    assert worker.done == ["a"]
    assert (_job().state, _job().attempt) == (JobState.DONE, 2)


@pytest.mark.django_db(transaction=True)
def test_the_job_of_a_killed_worker_is_taken_over_at_once(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)

    def claim_and_die() -> None:
        assert services._claim(now=NOW) is not None
        assert services.run_due(limit=1, now=NOW) == 0  # while it lives, the job is its own
        connection.close()

    dying = threading.Thread(target=claim_and_die)
    dying.start()
    dying.join()

    # The server notices that the connection has ended a moment after.
    soon = NOW + timedelta(seconds=1)
    assert processes.wait_until(lambda: services.run_due(limit=1, now=soon) == 1, seconds=30)
    assert worker.done == ["a"]
    assert (_job().state, _job().attempt) == (JobState.DONE, 2)


def test_a_worker_holds_on_to_a_job_only_while_it_does_it(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)
    services.run_due(limit=1, now=NOW)

    assert not Job.objects.annotate(worked_on=presence.is_worked_on()).get(key="a").worked_on


def test_a_worker_that_lost_its_lease_can_neither_renew_nor_finish(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)
    slow = services._claim(now=NOW)
    quick = services._claim(now=NOW + timedelta(minutes=2))
    assert slow is not None
    assert quick is not None

    with pytest.raises(LeaseLost):
        services._renew(slow, 60)
    services._finish(slow, state=JobState.DONE, finished_at=NOW, last_error="")

    assert (_job().state, _job().attempt) == (JobState.RUNNING, 2)


def test_a_job_that_kills_its_workers_is_parked(worker: Worker) -> None:
    services.enqueue(KIND, "a", now=NOW)
    moment = NOW
    for _ in range(MAXIMUM_ATTEMPTS):
        assert services._claim(now=moment) is not None
        moment += timedelta(minutes=1)

    services.run_due(limit=1, now=moment)

    assert worker.done == []
    assert _job().state == JobState.PARKED


def test_kinds_that_this_process_does_not_know_are_left_to_others(worker: Worker) -> None:
    services.enqueue("kind_of_a_later_version", "a", now=NOW)

    assert services.run_due(limit=1, now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_share_the_jobs_without_doing_one_twice(worker: Worker) -> None:
    for number in range(40):
        services.enqueue(KIND, str(number), now=NOW)
    together([partial(services.run_due, limit=100, now=NOW)] * 4, in_transaction=False)

    assert sorted(worker.done, key=int) == [str(number) for number in range(40)]


@pytest.mark.django_db(transaction=True)
def test_a_silent_doorbell_stops_nothing(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import current_app

    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    after: list[str] = []
    with transaction.atomic():
        services.enqueue(KIND, "a", now=NOW)
        transaction.on_commit(lambda: after.append("reached"))

    assert after == ["reached"]
    assert services.run_due(limit=1, now=NOW) == 1
