"""Makes the cast of the tests over accounts and the API; the fixtures are in each folder's conftest."""

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.actors import services as actors
from accounts.actors.actor import Actor
from accounts.foundation import clock
from accounts.keys import services as keys
from accounts.keys.rules import Scope
from accounts.organisations import members, services
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import OrganisationKind, Role

NOW = datetime(2026, 5, 1, 4, tzinfo=UTC)
SYSTEM = Actor.system("test")
PASSWORD = "a sparrow crossed the river"


def organisation(name: str, **fields: Any) -> Organisation:
    """Register and admit an organisation; a lab that buys unless told otherwise."""
    applied = application(name, **fields)
    return services.admit(SYSTEM, applied.id, now=NOW)


def application(name: str, **fields: Any) -> Organisation:
    """Register an organisation that waits to be admitted."""
    if not fields.keys() & {"can_buy", "can_sell", "can_operate"}:
        fields["can_buy"] = True
    legal = services.LegalDetails(f"{name} Ltd", f"TAX-{name}", "CN", "1 Test Road", vat_registered=True)
    wanted = services.Application(**{"name": name, "kind": OrganisationKind.LAB, "legal": legal, **fields})
    return services.register(SYSTEM, wanted, administrator=None, now=NOW)


def user(name: str) -> User:
    """Make somebody who can sign in with PASSWORD and belongs nowhere."""
    return members.create_user(
        SYSTEM, email=f"{name}@example.com", display_name=name.title(), password=PASSWORD, now=NOW
    )


def member(of: Organisation, name: str, *roles: Role) -> User:
    """Make somebody with these roles in an organisation."""
    person = user(name)
    for role in roles:
        members.add_member(SYSTEM, of.id, person.id, role, now=NOW)
    return person


def acting(person: User) -> Actor:
    """Return the actor of somebody who belongs to one organisation."""
    return actors.for_user(person, None)


def key(administrator: Actor, *scopes: Scope, now: datetime = NOW) -> str:
    """Issue a key for thirty days and return its text."""
    issued = keys.issue(administrator, name="script", scopes=scopes, expires_at=now + timedelta(days=30), now=now)
    return issued.secret_text


def live_key(administrator: Actor, *scopes: Scope) -> str:
    """Issue a key that the API, whose clock is the real one, accepts."""
    return key(administrator, *scopes, now=clock.now())
