"""Beat's ring for leases."""

from celery import shared_task

from accounts.foundation import clock
from exchange.leases import ticks, unfunded


@shared_task(name="exchange.leases.run_due", ignore_result=True)
def run_due() -> int:
    """Raise alarms, end and close what is due."""
    return ticks.run_due(now=clock.now())


@shared_task(name="exchange.leases.hand_back_unfunded", ignore_result=True)
def hand_back_unfunded() -> int:
    """Hand back leases of wallets in release; safe to run twice and at once."""
    return unfunded.hand_back(now=clock.now())
