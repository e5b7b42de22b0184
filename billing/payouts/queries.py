"""Reads of what the exchange owes its providers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Min, Q, Sum

from accounts.actors.actor import Actor, Capability
from billing.ledger.chart import Code
from billing.ledger.models import Account
from billing.payouts.models import StatementRelease


@dataclass(frozen=True)
class Payable:
    """What is owed to one provider in one currency, in minor units; negative when the provider owes."""

    organisation_id: UUID
    organisation_name: str
    currency: str
    pending_minor: int  # in its dispute window
    available_minor: int  # may be paid out
    next_release_at: datetime | None


def payable(organisation_id: UUID, currency: str) -> Payable | None:
    """Return what is owed to a provider in a currency; None when nothing ever was."""
    found = _payables(Q(organisation_id=organisation_id, currency=currency))
    return found[0] if found else None


def visible_payables(actor: Actor) -> list[Payable]:
    """Return what is owed: to every provider for those who read the books, else to the actor's organisation."""
    if actor.can(Capability.VIEW_BOOKS):
        return _payables(Q())
    actor.require(Capability.VIEW_SELLING)
    return _payables(Q(organisation_id=actor.organisation()))


def _payables(condition: Q) -> list[Payable]:
    sums = (
        Account.objects.filter(condition, code__in=[Code.PAYABLE_PENDING, Code.PAYABLE_AVAILABLE])
        .values("organisation_id", "organisation__name", "currency")
        .annotate(
            pending=Sum("balance_minor", filter=Q(code=Code.PAYABLE_PENDING), default=0),
            available=Sum("balance_minor", filter=Q(code=Code.PAYABLE_AVAILABLE), default=0),
        )
        .order_by("organisation__name", "organisation_id", "currency")
    )
    waiting = (
        StatementRelease.objects.filter(condition, released_at__isnull=True)
        .values("organisation_id", "currency")
        .annotate(next_at=Min("due_at"))
    )
    next_at = {(row["organisation_id"], row["currency"]): row["next_at"] for row in waiting}
    return [
        Payable(
            organisation_id=row["organisation_id"],
            organisation_name=row["organisation__name"],
            currency=row["currency"],
            pending_minor=-row["pending"],
            available_minor=-row["available"],
            next_release_at=next_at.get((row["organisation_id"], row["currency"])),
        )
        for row in sums
    ]
