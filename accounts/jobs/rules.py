"""How a job may move, how long it waits after a failure, and when it is put aside."""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"  # failed too often: a person looks at it


JOB_MOVES: Final[dict[JobState, frozenset[JobState]]] = {
    JobState.PENDING: frozenset({JobState.RUNNING}),
    # running -> running is a claim after the lease of a lost worker ran out.
    JobState.RUNNING: frozenset({JobState.DONE, JobState.PENDING, JobState.PARKED}),
    JobState.DONE: frozenset(),
    JobState.PARKED: frozenset({JobState.PENDING}),
}

MAXIMUM_ATTEMPTS: Final = 8
_LONGEST_WAIT: Final = timedelta(minutes=10)


def wait_after(attempt: int) -> timedelta:
    """Return the pause after the given failed attempt (1, 2, ...): 2 s doubling up to 10 minutes."""
    assert attempt >= 1, attempt
    return min(timedelta(seconds=2 ** min(attempt, 12)), _LONGEST_WAIT)
