"""The bells that beat rings for payouts, and the jobs of those through Stripe; the rows are the work."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.foundation import clock
from accounts.jobs.registry import Renew
from billing.connect import services as connect
from billing.payouts import paying, services, transfers


@shared_task(name="billing.payouts.release_due", ignore_result=True)
def release_due() -> None:
    """Release what is due, batch after batch; safe to run twice and at once."""
    while services.release_due(now=clock.now()) == services.BATCH:
        pass


@shared_task(name="billing.payouts.make_due", ignore_result=True)
def make_due() -> None:
    """Make due what the schedule says; safe to run twice and at once."""
    paying.make_due(now=clock.now())


@shared_task(name="billing.payouts.follow_transfers", ignore_result=True)
def follow_transfers() -> None:
    """Follow what went through Stripe; safe to run twice and at once."""
    transfers.follow_all(now=clock.now())


def send_transfer(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Send the transfer whose id is the key, and note on its payout what has become of it."""
    transfer = connect.push(UUID(key), now=clock.now())
    transfers.follow(transfer.payout_id, now=clock.now())


def reverse_transfer(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Fetch back what the reversal whose id is the key says, and note it on its payout."""
    reversal = connect.push_reversal(UUID(key), now=clock.now())
    transfers.follow(reversal.transfer.payout_id, now=clock.now())
