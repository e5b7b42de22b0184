"""Telling the workers that there may be work. Nothing depends on the message arriving."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK = "accounts.jobs.tasks.work"


def ring() -> None:
    """Send "look now" to the workers; without a broker the sweeper finds the row within seconds."""
    try:
        current_app.send_task(WORK, retry=False, ignore_result=True)
    except OperationalError as error:
        # The row is committed; losing the message costs only delay.
        logger.warning("the doorbell did not ring: %s", error)
