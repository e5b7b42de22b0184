"""The jobs and the clock of fapiao; each is safe to run twice, for its service is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.foundation import clock
from accounts.jobs.registry import Renew
from billing.fapiao import calls, reds


def send_fapiao(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Ask the issuing service for the fapiao whose id is the key."""
    calls.push(UUID(key), now=clock.now())


def demand_red_letter(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Ask for the red letter that the credit note whose id is the key makes necessary."""
    reds.demand_for_note(calls.ACTOR, UUID(key), now=clock.now())


@shared_task(name="billing.fapiao.poll")
def poll_issuer() -> int:
    """Ring by beat: look what became of fapiao at the issuing service."""
    return calls.poll(now=clock.now())
