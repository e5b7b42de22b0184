"""The bell that beat rings for wallets that ran out."""

from celery import shared_task

from accounts.foundation import clock
from billing.landings import services


@shared_task(name="billing.landings.watch", ignore_result=True)
def watch() -> None:
    """Move landings to the stage that is due; safe to run twice and at once."""
    services.watch(now=clock.now())
