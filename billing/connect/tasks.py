"""The job that takes a provider on; what sends money is a job of payouts, which follow it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.foundation import clock
from accounts.jobs.registry import Renew
from billing.connect import services


def open_account(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Make the account whose id is the key at Stripe."""
    services.finish_opening(UUID(key), now=clock.now())
