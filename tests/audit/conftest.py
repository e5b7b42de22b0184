"""The played databases, made once for a worker of a run.

pytest reads this file before Django is configured, so it imports the stage where it is used.
"""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def played(django_db_setup: None, django_db_blocker: Any) -> str:
    """Return the name of a database with the story played in it."""
    from tests.audit import stage

    with django_db_blocker.unblock():
        return stage.with_the_story()


@pytest.fixture(scope="session")
def stripped(played: str, django_db_blocker: Any) -> str:
    """Return the name of a copy of it without guards."""
    from tests.audit import stage

    with django_db_blocker.unblock():
        return stage.without_guards(played)


@pytest.fixture
def guarded(played: str, django_db_blocker: Any) -> Iterator[None]:
    """Point the connection at the played database."""
    from tests.audit import stage

    with django_db_blocker.unblock(), stage.pointed_at(played):
        yield


@pytest.fixture
def unguarded(stripped: str, django_db_blocker: Any) -> Iterator[None]:
    """Point the connection at the copy without guards."""
    from tests.audit import stage

    with django_db_blocker.unblock(), stage.pointed_at(stripped):
        yield
