"""The bell that beat rings for payouts; the release rows are the work."""

from celery import shared_task

from accounts.foundation import clock
from billing.payouts import services


@shared_task(name="billing.payouts.release_due", ignore_result=True)
def release_due() -> None:
    """Release what is due, batch after batch; safe to run twice and at once."""
    while services.release_due(now=clock.now()) == services.BATCH:
        pass
