"""The quarter that the tests of the exports look at: played once."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def _played(django_db_setup: None, django_db_blocker: Any) -> Any:
    from tests.billing.exports import world

    with django_db_blocker.unblock():
        return world.played()


@pytest.fixture
def quarter(_played: Any, django_db_blocker: Any) -> Iterator[Any]:
    """Look at the quarter, and get who took part; nothing may be written there."""
    from tests.audit.stage import pointed_at

    name, cast = _played
    with django_db_blocker.unblock(), pointed_at(name):
        yield cast
