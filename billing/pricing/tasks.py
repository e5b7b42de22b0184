"""The bell that beat rings for vouchers that have ended; the rows are the work."""

from celery import shared_task

from accounts.actors.actor import Actor
from accounts.foundation import clock
from billing.pricing import services


@shared_task(name="billing.pricing.close_expired", ignore_result=True)
def close_expired() -> None:
    """Take back what is left of ended vouchers; safe to run twice and at once."""
    services.close_expired(Actor.system("vouchers"), now=clock.now())
