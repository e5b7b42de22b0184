"""What every test stands on: real PostgreSQL and Redis, the application role, repeatable examples."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import django
import django.test
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import environment

pytest_plugins = ["tests.members", "tests.stripe.plugin"]

_COMMON: dict[str, Any] = {
    # A busy machine is no failure; the time of a test is watched elsewhere.
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
hypothesis_settings.register_profile("default", max_examples=50, **_COMMON)
hypothesis_settings.register_profile("ci", max_examples=50, derandomize=True, **_COMMON)
hypothesis_settings.register_profile("long", max_examples=2000, **_COMMON)
hypothesis_settings.load_profile("default")

_ended = pytest.StashKey[Callable[[], None]]()


def pytest_configure(config: pytest.Config) -> None:
    """Provide the services before Django reads its settings."""
    end = environment.provide()
    try:
        django.setup()
    except BaseException:
        end()
        raise
    config.stash[_ended] = end


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let workers read the settings where this process does: pytest-django reads named ones before any conftest."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the databases of the run and stop what was started for it."""
    end = config.stash.get(_ended, None)
    if end is None:
        return
    if "PYTEST_XDIST_WORKER" not in os.environ:
        from tests import databases  # only once Django is configured

        databases.drop_all()
    end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the rooms with long tests come first: what is left for the end is short, and two workers share it evenly."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """Give this worker its own migrated database, in place of pytest-django's."""
    from tests import databases

    with django_db_blocker.unblock():
        databases.use_clone()


@pytest.fixture(scope="session", autouse=True)
def _commits_are_undone_by_cloning() -> Iterator[None]:
    """Replace Django's flush: see tests.databases."""
    from tests import databases

    def renew(case: django.test.TransactionTestCase) -> None:
        databases.renew()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django.test.TransactionTestCase, "_fixture_teardown", renew)
        yield


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """Return the environment in which another process works on this test's database and broker."""
    return dict(os.environ)
