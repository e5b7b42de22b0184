"""Telling the workers that there may be work. Nothing depends on the message arriving."""

import logging
import time
from typing import Any, Final

from celery import current_app
from kombu import pools
from kombu.exceptions import LimitExceeded, OperationalError

logger = logging.getLogger(__name__)

WORK = "accounts.jobs.tasks.work"

PATIENCE_SECONDS: Final = 0.1  # for each of the two steps of a ring: reaching the broker, and its answer
SILENCE_SECONDS: Final = 5.0  # after a ring that failed: whoever waits for an answer to a request waits once

# The transport's own defaults try again for seconds, which is right for a worker and wrong for who rings in passing.
_OPTIONS: Final = {
    "max_retries": 0,
    "socket_connect_timeout": PATIENCE_SECONDS,
    "socket_timeout": PATIENCE_SECONDS,
}

_silent_until = 0.0  # of the monotonic clock, in this process


def ring() -> None:
    """Send "look now" to the workers; without a broker the sweeper finds the row within seconds of its return."""
    global _silent_until  # noqa: PLW0603  # one broker, one memory of it: a process has no second doorbell
    if time.monotonic() < _silent_until:
        return
    connection: Any = current_app.connection_for_write(transport_options=_OPTIONS)
    try:
        with pools.producers[connection].acquire(block=True, timeout=PATIENCE_SECONDS) as producer:
            current_app.send_task(WORK, producer=producer, retry=False, ignore_result=True)
    except (OperationalError, LimitExceeded) as error:
        # The row is committed; losing the message costs only delay.
        _silent_until = time.monotonic() + SILENCE_SECONDS
        logger.warning("the doorbell did not ring, and is left alone for %d s: %s", SILENCE_SECONDS, error)
