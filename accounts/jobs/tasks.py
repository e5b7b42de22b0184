"""What the doorbell and beat make a worker do."""

import time
from typing import Final

from celery import shared_task

from accounts.foundation import clock
from accounts.jobs import doorbell, services

_SECONDS: Final = 20.0  # then the task ends and rings again, so that a worker can be stopped between jobs


# A single long job (a clearing) may outlast the default limit; its lease is on its row.
@shared_task(name=doorbell.WORK, time_limit=1800)
def work() -> int:
    """Do what is due until nothing is, and return how many jobs that were."""
    started = time.monotonic()
    done = 0
    while services.run_due(limit=1, now=clock.now()):
        done += 1
        if time.monotonic() - started > _SECONDS:
            doorbell.ring()
            break
    return done
