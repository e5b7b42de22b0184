"""Directories and environments for tests of the platform itself."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EXCHANGE_DATA", "DJANGO_SETTINGS_MODULE")


@pytest.fixture
def data() -> Iterator[Path]:
    """Return the path of a data directory that does not exist yet; its name has a space."""
    with _new_path() as place:
        yield place


@pytest.fixture(scope="module")
def lasting_data() -> Iterator[Path]:
    """Return the path of a data directory that a module's first test makes and the next ones find as it was left."""
    with _new_path() as place:
        yield place


@contextmanager
def _new_path() -> Iterator[Path]:
    # Not pytest's own: root's is closed to the unprivileged user that the database runs as.
    with tempfile.TemporaryDirectory(prefix="compute exchange ") as directory:
        Path(directory).chmod(0o711)
        place = Path(directory) / "my data"
        yield place
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def bare_environment() -> dict[str, str]:
    """Return the environment of a machine with no services configured."""
    return {name: value for name, value in os.environ.items() if name not in _ADDRESSES}
