"""What roles and scopes allow."""

from collections.abc import Iterable
from typing import Final, Protocol

from accounts.actors.actor import Capability
from accounts.keys.rules import Scope
from accounts.organisations.rules import OrganisationStatus, Role, roles_open_to

_BUYER: Final = frozenset({Capability.VIEW_BUYING})
_PROVIDER: Final = frozenset({Capability.VIEW_SELLING, Capability.LIST, Capability.DELIVER, Capability.METER})
_ADMIN: Final = frozenset({Capability.MANAGE_MEMBERS, Capability.MANAGE_KEYS})

CAPABILITIES_BY_ROLE: Final[dict[Role, frozenset[Capability]]] = {
    Role.BUYER_VIEWER: _BUYER,
    Role.BUYER_TRADER: _BUYER | {Capability.TRADE},
    Role.BUYER_ADMIN: _BUYER | {Capability.TRADE} | _ADMIN,
    Role.PROVIDER_OPERATOR: _PROVIDER,
    Role.PROVIDER_ADMIN: _PROVIDER | _ADMIN,
    Role.FINANCE_VIEWER: frozenset({Capability.VIEW_BOOKS}),
    Role.FINANCE_OPERATOR: frozenset({Capability.VIEW_BOOKS, Capability.OPERATE_BOOKS}),
    Role.FINANCE_APPROVER: frozenset({Capability.VIEW_BOOKS, Capability.APPROVE_BOOKS}),
    Role.SUPPORT: frozenset({Capability.SUPPORT}),
    Role.PLATFORM_ADMIN: frozenset({Capability.OPERATE, Capability.SUPPORT}) | _ADMIN,
}

# A scope never reaches further than the organisation: a buyer's key has no VIEW_SELLING.
CAPABILITIES_BY_SCOPE: Final[dict[Scope, frozenset[Capability]]] = {
    Scope.READ: frozenset({Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.VIEW_BOOKS}),
    Scope.TRADE: frozenset({Capability.VIEW_BUYING, Capability.TRADE}),
    Scope.LIST: frozenset({Capability.VIEW_SELLING, Capability.LIST}),
    Scope.DELIVER: frozenset({Capability.VIEW_SELLING, Capability.DELIVER}),
    Scope.METER: frozenset({Capability.METER}),
}

BUYING: Final = frozenset({Capability.VIEW_BUYING, Capability.TRADE})
SELLING: Final = frozenset({Capability.VIEW_SELLING, Capability.LIST, Capability.DELIVER, Capability.METER})
# What members of an organisation that is not yet admitted may do.
BEFORE_ADMISSION: Final = frozenset({Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.MANAGE_MEMBERS})


class Organisation(Protocol):
    """The part of an organisation that these rules look at."""

    can_buy: bool
    can_sell: bool
    can_operate: bool
    status: str


def allowed_to_members(organisation: Organisation, roles: Iterable[Role]) -> frozenset[Capability]:
    """Return what a member with these roles may do, given what the organisation is and its status."""
    open_roles = roles_open_to(
        can_buy=organisation.can_buy, can_sell=organisation.can_sell, can_operate=organisation.can_operate
    )
    capabilities = frozenset[Capability]().union(*(CAPABILITIES_BY_ROLE[role] for role in open_roles & set(roles)))
    return capabilities & _allowed_by_status(organisation)


def allowed_by_scopes(organisation: Organisation, scopes: Iterable[Scope]) -> frozenset[Capability]:
    """Return what a key with these scopes may do, given what its organisation is and its status."""
    reach: frozenset[Capability] = frozenset()
    if organisation.can_buy:
        reach |= BUYING
    if organisation.can_sell:
        reach |= SELLING
    if organisation.can_operate:
        reach |= {Capability.VIEW_BOOKS}
    capabilities = frozenset[Capability]().union(*(CAPABILITIES_BY_SCOPE[scope] for scope in scopes))
    return capabilities & reach & _allowed_by_status(organisation)


def _allowed_by_status(organisation: Organisation) -> frozenset[Capability]:
    if organisation.status == OrganisationStatus.APPLIED:
        return BEFORE_ADMISSION
    return frozenset(Capability) if organisation.status == OrganisationStatus.ACTIVE else frozenset()
