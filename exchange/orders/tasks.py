"""Beat's ring for orders."""

from celery import shared_task

from accounts.foundation import clock
from exchange.orders import unfunded


@shared_task(name="exchange.orders.withdraw_unfunded", ignore_result=True)
def withdraw_unfunded() -> int:
    """Withdraw the orders of stopped wallets; safe to run twice and at once."""
    return unfunded.withdraw(now=clock.now())
