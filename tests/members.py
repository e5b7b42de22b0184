"""Members to act in tests: of two labs and of the operator, each with an administrator.

pytest reads this file before Django is configured, so it imports the cast where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.organisations.models import Organisation, User


@pytest.fixture
def lab(db: None) -> Organisation:
    """A lab that buys."""
    from tests.accounts import cast

    return cast.organisation("Beichen AI Lab")


@pytest.fixture
def lab_admin(lab: Organisation) -> User:
    """The lab's principal."""
    from accounts.organisations.rules import Role
    from tests.accounts import cast

    return cast.member(lab, "principal", Role.BUYER_ADMIN)


@pytest.fixture
def viewer(lab: Organisation) -> User:
    """The principal's lesser colleague."""
    from accounts.organisations.rules import Role
    from tests.accounts import cast

    return cast.member(lab, "intern", Role.BUYER_VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """The principal of another lab."""
    from accounts.organisations.rules import Role
    from tests.accounts import cast

    return cast.member(cast.organisation("Lanting Robotics"), "stranger", Role.BUYER_ADMIN)


@pytest.fixture
def operator(db: None) -> Organisation:
    """Whoever runs the exchange."""
    from accounts.organisations.rules import OrganisationKind
    from tests.accounts import cast

    return cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)


@pytest.fixture
def platform_admin(operator: Organisation) -> User:
    """The operator on call."""
    from accounts.organisations.rules import Role
    from tests.accounts import cast

    return cast.member(operator, "oncall", Role.PLATFORM_ADMIN)
