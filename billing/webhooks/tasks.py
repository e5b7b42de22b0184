"""The job of a message, and the bell for looking without being told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.foundation import clock
from accounts.jobs.registry import Renew
from billing.gateway import stripe
from billing.webhooks import services


def handle_event(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Look at what the message whose id is the key is about."""
    services.handle(UUID(key), now=clock.now())


@shared_task(name="billing.webhooks.poll", ignore_result=True)
def poll() -> None:
    """Find what no message told of; safe to run twice and at once. Nothing to do without an account."""
    if stripe.from_settings().configured():
        services.poll(now=clock.now())
