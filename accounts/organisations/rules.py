"""What an organisation can be, become and have its members do."""

from enum import StrEnum
from typing import Final


class OrganisationKind(StrEnum):
    """What sort of body it is; what it may do is said by can_buy, can_sell and can_operate."""

    SME = "sme"
    LAB = "lab"
    UNIVERSITY = "university"
    PUBLIC_BODY = "public_body"
    DATA_CENTRE = "data_centre"
    OPERATOR = "operator"


class OrganisationStatus(StrEnum):
    """Where an organisation stands with the exchange."""

    APPLIED = "applied"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


ORGANISATION_MOVES: Final[dict[OrganisationStatus, frozenset[OrganisationStatus]]] = {
    OrganisationStatus.APPLIED: frozenset({OrganisationStatus.ACTIVE, OrganisationStatus.CLOSED}),
    OrganisationStatus.ACTIVE: frozenset({OrganisationStatus.SUSPENDED, OrganisationStatus.CLOSED}),
    OrganisationStatus.SUSPENDED: frozenset({OrganisationStatus.ACTIVE, OrganisationStatus.CLOSED}),
    OrganisationStatus.CLOSED: frozenset(),
}


class Role(StrEnum):
    """What a member is there for; the capabilities of each are in accounts.actors.rules."""

    BUYER_VIEWER = "buyer_viewer"
    BUYER_TRADER = "buyer_trader"
    BUYER_ADMIN = "buyer_admin"
    PROVIDER_OPERATOR = "provider_operator"
    PROVIDER_ADMIN = "provider_admin"
    FINANCE_VIEWER = "finance_viewer"
    FINANCE_OPERATOR = "finance_operator"
    FINANCE_APPROVER = "finance_approver"
    SUPPORT = "support"
    PLATFORM_ADMIN = "platform_admin"


BUYER_ROLES: Final = frozenset({Role.BUYER_VIEWER, Role.BUYER_TRADER, Role.BUYER_ADMIN})
PROVIDER_ROLES: Final = frozenset({Role.PROVIDER_OPERATOR, Role.PROVIDER_ADMIN})
OPERATOR_ROLES: Final = frozenset(Role) - BUYER_ROLES - PROVIDER_ROLES
# At least one of these must remain: without them nobody inside could let anybody in.
ADMIN_ROLES: Final = frozenset({Role.BUYER_ADMIN, Role.PROVIDER_ADMIN, Role.PLATFORM_ADMIN})


def roles_open_to(*, can_buy: bool, can_sell: bool, can_operate: bool) -> frozenset[Role]:
    """Return the roles that members of such an organisation may have."""
    roles: frozenset[Role] = frozenset()
    if can_buy:
        roles |= BUYER_ROLES
    if can_sell:
        roles |= PROVIDER_ROLES
    if can_operate:
        roles |= OPERATOR_ROLES
    return roles


_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_LENGTH: Final = 18


def is_social_credit_code(text: str) -> bool:
    """Check a unified social credit code: 18 characters, the last a check digit (GB 32100-2015, modulo 31)."""
    if len(text) != _USCC_LENGTH or any(character not in _USCC_ALPHABET for character in text):
        return False
    numbers = [_USCC_ALPHABET.index(character) for character in text]
    weighted = sum(number * pow(3, place, 31) for place, number in enumerate(numbers[:-1]))
    return numbers[-1] == (31 - weighted % 31) % 31
