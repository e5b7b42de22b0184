"""PostgreSQL and Valkey for a run of the tests, and the environment that points at them.

The process that the tests are started in provides them, once; pytest-xdist's workers inherit the
environment and take a database and a broker number of their own.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from config import keys
from config.databases import APPLICATION_ROLE
from config.embedded import postgres
from config.embedded.valkey import Valkey

_RUN = "EXCHANGE_TEST_RUN"
_BROKER_NUMBERS = 64


def provide() -> Callable[[], None]:
    """Put addresses of running services into the environment; the caller calls what is returned at the end.

    DATABASE_URL and REDIS_URL are used when they are set. In a worker only its own broker number is set. Raises
    RuntimeError when the settings have been read already: they would name the services of another process.
    """
    if settings.configured:
        raise RuntimeError("the settings were read before the services of this process were known")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["PUBLIC_REQUESTS_PER_MINUTE"] = "1000000"  # all tests come from one address
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        os.environ["REDIS_URL"] = _numbered(os.environ["REDIS_URL"], int(worker.removeprefix("gw")))
        return lambda: None
    with ExitStack() as stack:
        os.environ[_RUN] = f"{os.getpid()}_{secrets.token_hex(3)}"
        data = Path(tempfile.mkdtemp(prefix="compute-exchange-tests-"))
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        data.chmod(0o711)  # an unprivileged server passes through to its own directory
        os.environ["EXCHANGE_DATA"] = str(data)
        if not os.environ.get("DATABASE_URL"):
            _start_postgres(stack, data)
        if not os.environ.get("REDIS_URL"):
            broker = Valkey(
                data / "valkey",
                password=keys.random_text(),
                log=data / "valkey.log",
                databases=_BROKER_NUMBERS,
            )
            stack.callback(broker.stop)
            os.environ["REDIS_URL"] = broker.url
        return stack.pop_all().close
    raise AssertionError("an exit stack swallows nothing here")


def run_id() -> str:
    """Return what tells the databases of this run from those of another on the same server."""
    return os.environ[_RUN]


def worker_id() -> str:
    """Return what tells this process's databases from those of another worker of this run."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _start_postgres(stack: ExitStack, data: Path) -> None:
    roles = (postgres.SUPERUSER, postgres.OWNER_ROLE, APPLICATION_ROLE)
    server = postgres.Postgres(
        data / "postgres",
        passwords={role: keys.random_text() for role in roles},
        log=data / "postgres.log",
        durable=False,
    )
    stack.callback(server.stop)
    os.environ["DATABASE_URL"] = server.url(APPLICATION_ROLE)
    os.environ["DATABASE_OWNER_URL"] = server.url(postgres.OWNER_ROLE)


def _numbered(url: str, number: int) -> str:
    parts = urlsplit(url)
    first = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{first + number}"))
