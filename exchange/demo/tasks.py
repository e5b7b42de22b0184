"""Beat's ring for the made-up members of the demo market."""

from celery import shared_task

from accounts.foundation import clock
from exchange.demo import traffic


@shared_task(name="exchange.demo.go_on", ignore_result=True)
def go_on() -> int:
    """Let the made-up members do what they do; nothing where there is no demo market."""
    return traffic.go_on(now=clock.now())
