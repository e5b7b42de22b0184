"""Beat's rings for the gates."""

from celery import shared_task

from accounts.foundation import clock
from exchange.auctions import gates, watch


@shared_task(name="exchange.auctions.close_due", ignore_result=True)
def close_due() -> int:
    """Lock and freeze the rounds that are due; return how many books were frozen."""
    return len(gates.close_due(now=clock.now()))


@shared_task(name="exchange.auctions.watch", ignore_result=True)
def watch_rounds() -> int:
    """Have unfinished rounds worked on, and say which are overdue."""
    return watch.sweep(now=clock.now())
