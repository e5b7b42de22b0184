"""The bell that beat rings for the reconciliation; its breaks are the rows that people work on."""

from celery import shared_task

from accounts.actors.actor import Actor
from accounts.foundation import clock
from billing.reconciliation import runs


@shared_task(name="billing.reconciliation.reconcile", ignore_result=True)
def reconcile() -> None:
    """Look at everything; safe to run twice and at once."""
    runs.run(Actor.system("reconciliation"), now=clock.now())
