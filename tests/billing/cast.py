"""Who meets at the money over HTTP: a lab's people, a stranger, a provider, and finance."""

from dataclasses import dataclass

from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import OrganisationKind, Role
from tests.accounts import cast
from tests.api.caller import Api
from tests.billing.ledger.books import Party


@dataclass(frozen=True)
class Desk:
    """Each as a signed-in caller of the API."""

    lab: Organisation
    party: Party
    trader: Api
    viewer: Api
    stranger: Api
    seller: Api
    clerk: Api
    auditor: Api
    provider: Party


def desk() -> Desk:
    """Make everybody and sign them in."""
    lab = cast.organisation("Beichen AI Lab")
    provider = cast.organisation("Huailai Compute", can_sell=True)
    house = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
    other = cast.organisation("Lanting Robotics")
    return Desk(
        lab=lab,
        party=party_of(lab),
        trader=_signed_in(lab, "trader", Role.BUYER_TRADER),
        viewer=_signed_in(lab, "viewer", Role.BUYER_VIEWER),
        stranger=_signed_in(other, "stranger", Role.BUYER_ADMIN),
        seller=_signed_in(provider, "seller", Role.PROVIDER_ADMIN),
        clerk=_signed_in(house, "clerk", Role.FINANCE_OPERATOR),
        auditor=_signed_in(house, "auditor", Role.FINANCE_VIEWER),
        provider=party_of(provider),
    )


def party_of(organisation: Organisation) -> Party:
    """Return an organisation as tests of the books name it."""
    return Party(organisation.id, organisation.projects.get().id)


def _signed_in(of: Organisation, name: str, role: Role) -> Api:
    # Without a password: hashing one for each of them would take longer than the tests.
    user = User.objects.create(email=f"{name}@example.com", display_name=name.title(), created_at=cast.NOW)
    members.add_member(cast.SYSTEM, of.id, user.id, role, now=cast.NOW)
    return Api.signed_in(user)
