"""The bell that beat rings for warnings."""

from celery import shared_task

from accounts.foundation import clock
from billing.wallets import services


@shared_task(name="billing.wallets.watch", ignore_result=True)
def watch() -> None:
    """Warn of wallets that run low; safe to run twice and at once."""
    services.watch(now=clock.now())
