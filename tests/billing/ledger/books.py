"""A few bodies with books, and the steps that tests take with their money."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import connection

from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind, OrganisationStatus
from accounts.projects.models import Project
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import Hold, LedgerTransaction
from billing.ledger.rules import Capture, Source, credit, debit

NOW: Final = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Party:
    """An organisation and its project."""

    id: UUID
    project_id: UUID


def party(name: str, *, can_sell: bool = False) -> Party:
    """Make an organisation with one project."""
    organisation = Organisation.objects.create(
        name=name,
        kind=OrganisationKind.LAB,
        country="CN",
        status=OrganisationStatus.ACTIVE,
        can_buy=not can_sell,
        can_sell=can_sell,
        created_at=NOW,
    )
    project = Project.objects.create(organisation=organisation, code="default", name="Default", created_at=NOW)
    return Party(organisation.id, project.id)


def source(kind: str = "top_up", purpose: str = "confirm") -> Source:
    """Name a business fact that nothing has been posted for."""
    return Source(kind, ids.new_id(), purpose)


def top_up(owner: Party, amount_minor: int, currency: str = "CNY") -> LedgerTransaction:
    """Bring money into a wallet."""
    return ledger.post(
        source(),
        [debit(Code.BANK, amount_minor), credit(Code.WALLET, amount_minor, owner.id)],
        currency=currency,
        effective_at=NOW,
        now=NOW,
    )


def hold(owner: Party, amount_minor: int, currency: str = "CNY") -> Hold:
    """Hold funds for a fresh order."""
    return ledger.place_hold(
        owner.id, amount_minor, currency=currency, source=source("order", "fill"), project_id=owner.project_id, now=NOW
    )


def invoice(
    owner: Party, amount_minor: int, *, captures: tuple[Capture, ...] = (), extras_minor: int = 0, kind: str = "invoice"
) -> LedgerTransaction:
    """Charge a wallet."""
    return ledger.post(
        source(kind, "issue"),
        [debit(Code.WALLET, amount_minor, owner.id), credit(Code.CAPACITY_REVENUE, amount_minor)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
        captures=captures,
        overdraft_minor=extras_minor,
    )


def check_deferred() -> None:
    """Let the database check now what it would check at the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
