"""Who pays in and who confirms it."""

from dataclasses import dataclass
from datetime import date

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.organisations.models import User
from billing.payments.rules import BankLine
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, Party, party


@dataclass(frozen=True)
class Cast:
    """A buyer with two people, a stranger, and the clerk of the exchange."""

    lab: Party
    trader: Actor
    viewer: Actor
    stranger: Actor
    clerk: Actor
    auditor: Actor


def make() -> Cast:
    """Make the organisations and people."""
    lab, other, house = party("Beichen AI Lab"), party("Stranger"), party("Operator")
    return Cast(
        lab=lab,
        trader=person(lab, "trader", Capability.VIEW_BUYING, Capability.TRADE),
        viewer=person(lab, "viewer", Capability.VIEW_BUYING),
        stranger=person(other, "stranger", Capability.VIEW_BUYING, Capability.TRADE),
        clerk=person(house, "clerk", Capability.VIEW_BOOKS, Capability.OPERATE_BOOKS),
        auditor=person(house, "auditor", Capability.VIEW_BOOKS),
    )


def person(owner: Party, name: str, *capabilities: Capability) -> Actor:
    """Make somebody who acts for an organisation."""
    user = User.objects.create(email=f"{name}@example.org", display_name=name, created_at=NOW)
    return Actor(owner.id, user.id, None, frozenset(capabilities), f"user:{name}")


def line(amount_minor: int, remittance: str = "", *, bank_reference: str = "", currency: str = "CNY") -> BankLine:
    """Return a credit as the bank shows it."""
    return BankLine(
        bank_reference=bank_reference or str(ids.new_id()),
        amount=Money(amount_minor, currency),
        value_date=date(2026, 5, 1),
        payer="Beichen AI Lab Ltd",
        remittance=remittance,
    )
