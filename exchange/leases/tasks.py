"""Beat's ring for leases."""

from celery import shared_task

from accounts.foundation import clock
from exchange.leases import ticks


@shared_task(name="exchange.leases.run_due", ignore_result=True)
def run_due() -> int:
    """Raise alarms, end and close what is due."""
    return ticks.run_due(now=clock.now())
