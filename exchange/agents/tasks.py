"""Beat's ring for the simulated agents."""

from celery import shared_task

from accounts.foundation import clock
from exchange.agents import services


@shared_task(name="exchange.agents.serve", ignore_result=True)
def serve() -> int:
    """Do what is due for leases of simulated providers."""
    return services.serve(now=clock.now())
