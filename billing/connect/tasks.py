"""The jobs of Connect; each is safe to run twice, for its service is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.foundation import clock
from accounts.jobs.registry import Renew
from billing.connect import services


def open_account(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Make the account whose id is the key at Stripe."""
    services.finish_opening(UUID(key), now=clock.now())


def send_transfer(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Send the transfer whose id is the key."""
    services.push(UUID(key), now=clock.now())


def reverse_transfer(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Fetch back what the reversal whose id is the key says."""
    services.push_reversal(UUID(key), now=clock.now())
