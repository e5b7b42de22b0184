"""Who can sign in to the demo market, and what is worth looking at as each of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.organisations import members
from accounts.organisations.models import Organisation
from accounts.organisations.rules import Role
from exchange.demo.cast import SYSTEM

# Of the demo only: everybody who can read this file can sign in.
PASSWORD: Final = "three-sparrows-crossed"  # noqa: S105


@dataclass(frozen=True)
class Login:
    """A person of an organisation with one role."""

    email: str
    name: str
    organisation: str
    role: Role
    look_at: str


_LAB: Final = "Beichen AI Lab"
_UNIVERSITY: Final = "Mingde University"
_SELLER: Final = "Huailai Compute"
_EXCHANGE: Final = "Sancai Compute Exchange"

LOGINS: Final = (
    Login("lin@beichen.example", "Lin Yue", _LAB, Role.BUYER_TRADER, "order in live-cards; yesterday's invoice"),
    Login("principal@beichen.example", "Zhou Ming", _LAB, Role.BUYER_ADMIN, "wallet, members, API keys"),
    Login("trader@mingde.example", "Fang Wen", _UNIVERSITY, Role.BUYER_TRADER, "running leases, invoice on demand"),
    Login("sales@huailai.example", "Gao Jian", _SELLER, Role.PROVIDER_ADMIN, "offers, leases to deliver, statement"),
    Login("clerk@sancai.example", "He Qing", _EXCHANGE, Role.FINANCE_OPERATOR, "a top-up and a receipt to settle"),
    Login("approver@sancai.example", "Xu Lan", _EXCHANGE, Role.FINANCE_APPROVER, "trial balance, every invoice"),
    Login("operator@sancai.example", "Tang Bo", _EXCHANGE, Role.PLATFORM_ADMIN, "rounds, listings, organisations"),
    Login("support@sancai.example", "Shen Yi", _EXCHANGE, Role.SUPPORT, "orders and leases of every member"),
)


def welcome(*, now: datetime) -> None:
    """Make everybody who can sign in."""
    for login in LOGINS:
        organisation = Organisation.objects.get(name=login.organisation, synthetic=True)
        user = members.create_user(SYSTEM, email=login.email, display_name=login.name, password=PASSWORD, now=now)
        members.add_member(SYSTEM, organisation.id, user.id, login.role, now=now)


def lines() -> list[str]:
    """Return what a person needs to sign in: role, e-mail, password and what to look at, a line each."""
    told = ["A demo market: its members, people, prices and money are made up."]
    told += [
        f"{login.role.replace('_', ' '):<17}{login.email:<27}{PASSWORD:<24}{login.organisation}: {login.look_at}"
        for login in LOGINS
    ]
    return told
