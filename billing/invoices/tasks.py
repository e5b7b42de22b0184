"""The jobs of invoicing; each is safe to run twice, for its service is."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from celery import shared_task

from accounts.actors.actor import Actor
from accounts.foundation import clock
from accounts.foundation.strict import instant
from accounts.jobs.registry import Renew
from billing.invoices import claims, months
from billing.invoices import services as invoices

ACTOR: Final = Actor.system("billing")


def invoice_contract(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Draw the last invoice of the contract whose id is the key."""
    invoices.invoice_contract(ACTOR, UUID(key), now=clock.now())


def issue_statement(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Issue the provider's statement for the contract whose id is the key."""
    invoices.issue_statement(ACTOR, UUID(key), now=clock.now())


def invoice_month(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Draw the invoices of some contracts for one billing month; the payload names both."""
    contract_ids = [UUID(contract_id) for contract_id in payload["contracts"]]
    invoices.invoice_months(ACTOR, contract_ids, until=instant(payload["until"]), now=clock.now())


def invoice_waiting(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Bill what waited for the release of the parked account whose id is the key."""
    invoices.bill_waiting(ACTOR, UUID(key), now=clock.now())


@shared_task(name="billing.invoices.enqueue_months")
def enqueue_months() -> int:
    """Ring by beat: have contracts that ran over a month's end invoiced for it."""
    return months.enqueue_due(now=clock.now())


@shared_task(name="billing.invoices.run_claims")
def run_claims() -> int:
    """Ring by beat: mark invoices past due and send the reminders that are due."""
    return claims.run_due(now=clock.now())
