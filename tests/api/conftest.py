"""Callers of the API.

pytest reads this file before Django is configured, so it imports the cast where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.organisations.models import User
    from tests.api.caller import Api


@pytest.fixture
def api(lab_admin: User) -> Api:
    """The lab's principal, calling the API with a key."""
    from accounts.keys.rules import Scope
    from tests.accounts import cast
    from tests.api.caller import Api

    return Api(cast.live_key(cast.acting(lab_admin), Scope.READ, Scope.TRADE))


@pytest.fixture
def session(lab_admin: User) -> Api:
    """The lab's principal, calling the API from a signed-in browser."""
    from tests.api.caller import Api

    return Api.signed_in(lab_admin)
