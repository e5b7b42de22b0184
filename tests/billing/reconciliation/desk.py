"""Finance at its desk: two clerks, an approver and an auditor, and differences to find."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from accounts.actors.actor import Actor, Capability
from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import OrganisationKind, Role
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import LedgerTransaction
from billing.ledger.rules import credit, debit
from billing.reconciliation.models import Break
from billing.reconciliation.rules import ItemKind
from tests.accounts import cast
from tests.billing.ledger.books import NOW, source

# The books of May 2026 end here, in Shanghai.
JUNE: Final = datetime(2026, 5, 31, 16, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """Those who work on breaks, and those who may only look."""

    house: Organisation
    clerk: Actor
    colleague: Actor
    approver: Actor
    auditor: Actor


def make() -> Desk:
    """Make everybody."""
    house = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    return Desk(
        house=house,
        clerk=person(house, "clerk", Role.FINANCE_OPERATOR, Capability.OPERATE_BOOKS),
        colleague=person(house, "colleague", Role.FINANCE_APPROVER, Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS),
        approver=person(house, "approver", Role.FINANCE_APPROVER, Capability.APPROVE_BOOKS),
        auditor=person(house, "auditor", Role.FINANCE_VIEWER),
    )


def person(of: Organisation, name: str, role: Role, *capabilities: Capability) -> Actor:
    """Make somebody of finance."""
    user = User.objects.create(email=f"{name}@example.org", display_name=name.title(), created_at=NOW)
    members.add_member(cast.SYSTEM, of.id, user.id, role, now=NOW)
    return Actor(of.id, user.id, None, frozenset({Capability.VIEW_BOOKS, *capabilities}), f"user:{name}")


def stray(amount_minor: int = 7_700, *, at: datetime = NOW) -> LedgerTransaction:
    """Post something for which there is no source, without touching an account that is looked at."""
    return ledger.post(
        source("gift", "give"),
        [debit(Code.PROMOTION, amount_minor), credit(Code.VOUCHERS, amount_minor)],
        currency="CNY",
        effective_at=at,
        now=at,
    )


def only_break(kind: ItemKind | None = None) -> Break:
    """Return the one break there is, of a kind if it is named."""
    rows = Break.objects.all() if kind is None else Break.objects.filter(kind=kind)
    return rows.get()
