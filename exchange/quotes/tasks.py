"""Beat's ring for quotes."""

from celery import shared_task

from accounts.foundation import clock
from exchange.quotes import services


@shared_task(name="exchange.quotes.expire_due", ignore_result=True)
def expire_due() -> int:
    """Expire the quotes whose time is over; return how many there were."""
    return services.expire_due(now=clock.now())
