"""The bells that beat rings for payouts; the rows of releases and payouts are the work."""

from celery import shared_task

from accounts.foundation import clock
from billing.payouts import paying, services


@shared_task(name="billing.payouts.release_due", ignore_result=True)
def release_due() -> None:
    """Release what is due, batch after batch; safe to run twice and at once."""
    while services.release_due(now=clock.now()) == services.BATCH:
        pass


@shared_task(name="billing.payouts.make_due", ignore_result=True)
def make_due() -> None:
    """Make due what the schedule says; safe to run twice and at once."""
    paying.make_due(now=clock.now())
