"""What roles and scopes allow."""

from typing import Final

from accounts.actors.actor import Capability
from accounts.keys.rules import Scope
from accounts.organisations.rules import Role

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
    Scope.READ: frozenset({Capability.VIEW_BUYING, Capability.VIEW_SELLING}),
    Scope.TRADE: frozenset({Capability.VIEW_BUYING, Capability.TRADE}),
    Scope.LIST: frozenset({Capability.VIEW_SELLING, Capability.LIST}),
    Scope.DELIVER: frozenset({Capability.VIEW_SELLING, Capability.DELIVER}),
    Scope.METER: frozenset({Capability.METER}),
}

BUYING: Final = frozenset({Capability.VIEW_BUYING, Capability.TRADE})
SELLING: Final = frozenset({Capability.VIEW_SELLING, Capability.LIST, Capability.DELIVER, Capability.METER})
# What members of an organisation that is not yet admitted may do.
BEFORE_ADMISSION: Final = frozenset({Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.MANAGE_MEMBERS})
