"""The bell that beat rings for the Stripe balance; the stored rows say where to go on."""

from celery import shared_task

from accounts.foundation import clock
from billing.gateway import balance, stripe


@shared_task(name="billing.gateway.pull_balance", ignore_result=True)
def pull_balance() -> None:
    """Read what is new in the balance; safe to run twice and at once. Nothing to do without an account."""
    if stripe.from_settings().configured():
        balance.pull(now=clock.now())
