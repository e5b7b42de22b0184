"""The bell that beat rings for usage that came in."""

from typing import Final

from celery import shared_task

from accounts.foundation import clock
from billing.rating import services

_SECONDS: Final = 20.0  # of a ring: a worker has other work as well


@shared_task(name="billing.rating.rate_waiting", ignore_result=True)
def rate_waiting() -> None:
    """Rate what came in, for some seconds; safe to run twice and at once."""
    services.rate_waiting(now=clock.now(), seconds=_SECONDS)
