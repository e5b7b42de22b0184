"""The jobs of card payments; each is safe to run twice, for its service is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.foundation import clock
from accounts.jobs.registry import Renew
from billing.cards import collecting, methods, refunds, services
from billing.gateway import stripe


def push_payment(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Have the payment whose id is the key made at Stripe."""
    services.push(UUID(key), now=clock.now())


def push_setup(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Have the page whose id is the key made at Stripe."""
    methods.push_setup(UUID(key), currency=payload["currency"], now=clock.now())


def detach_method(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Have Stripe forget the method whose id is the key."""
    methods.push_detach(UUID(key), now=clock.now())


def push_refund(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Have Stripe send the refund whose id is the key."""
    refunds.push(UUID(key), now=clock.now())


@shared_task(name="billing.cards.collect_due", ignore_result=True)
def collect_due() -> None:
    """Collect what is due; safe to run twice and at once. Nothing to do without an account."""
    if stripe.from_settings().configured():
        collecting.collect_due(now=clock.now())
