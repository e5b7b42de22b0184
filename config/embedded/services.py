"""The services of one data directory: started once, found by every other process that needs them."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Final

from config import keys
from config.databases import APPLICATION_ROLE
from config.embedded import postgres, processes
from config.embedded.errors import DataInUse, EmbeddedError
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

_STATE: Final = "services.json"
_JOIN_SECONDS: Final = 90  # as long as the slowest start of another process may take
_LOG_LIMIT_BYTES: Final = 10_000_000


@dataclass(frozen=True)
class Services:
    """Where the database and the broker of a data directory are, and which processes they are."""

    data: Path
    database_url: str
    owner_url: str
    redis_url: str
    processes: dict[str, int]  # name -> process id, of the embedded ones alone

    def environment(self) -> dict[str, str]:
        """Return the variables that point the settings at these services."""
        given = {
            "EXCHANGE_DATA": str(self.data),
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "REDIS_URL": self.redis_url,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class _State:
    """What the process that has the data tells the others, in a file."""

    pid: int
    command: str
    url: str
    database_url: str
    owner_url: str
    redis_url: str
    processes: dict[str, int]


@contextmanager
def running(
    data: Path,
    *,
    command: str = "",
    exclusive: bool = False,
    environment: dict[str, str] | None = None,
) -> Iterator[Services]:
    """Have the services of `data` for the length of the block.

    They are started unless another process runs them already; then that one's are used. Addresses in
    `environment` (DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL) are used as they are. `command` is what
    the others are told. With `exclusive` a second process is refused with DataInUse. Raises
    EmbeddedError when the services cannot be had.
    """
    data = data.resolve()
    # Others may pass through, so that an unprivileged server can reach its own directory, but not list it.
    try:
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        first_try = _try_lock(data)
    except OSError as error:
        raise EmbeddedError(f"{data} cannot hold the data: {error.strerror}. Give another directory.") from error
    with ExitStack() as stack:
        lock = first_try
        if lock is None and exclusive:
            holder = _state(data)
            raise DataInUse(
                str(data),
                holder.pid if holder else 0,
                holder.command if holder else "...",
                holder.url if holder else "",
            )
        if lock is None:
            users = stack.enter_context((data / "users").open("a"))
            fcntl.flock(users, fcntl.LOCK_SH)
            joined = _join(data)
            if isinstance(joined, Services):
                yield joined
                return
            fcntl.flock(users, fcntl.LOCK_UN)
            lock = joined
        stack.enter_context(lock)
        services = _start(stack, data, environment or {})
        _publish(data, services, command=command, url="")
        stack.callback((data / _STATE).unlink, missing_ok=True)
        yield services
        if not exclusive:
            _wait_for_users(data)


def announce(services: Services, *, command: str, url: str) -> None:
    """Tell other processes at which address the web server of these services answers."""
    _publish(services.data, services, command=command, url=url)


def _try_lock(data: Path) -> IO[str] | None:
    lock = (data / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _join(data: Path) -> Services | IO[str]:
    """Return the other process's services, or the lock on the data when that process has gone."""
    deadline = time.monotonic() + _JOIN_SECONDS
    while time.monotonic() < deadline:
        lock = _try_lock(data)
        if lock is not None:
            return lock
        state = _state(data)
        if state is not None and all(map(processes.is_alive, [state.pid, *state.processes.values()])):
            return Services(
                data,
                state.database_url,
                state.owner_url,
                state.redis_url,
                state.processes,
            )
        time.sleep(0.1)
    raise EmbeddedError(f"Another process has locked {data} and has not started its services in {_JOIN_SECONDS} s.")


def _wait_for_users(data: Path) -> None:
    """Wait until no other command uses the services that are about to stop."""
    with (data / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)


def _start(stack: ExitStack, data: Path, environment: dict[str, str]) -> Services:
    logs = data / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    database_url, redis_url = (
        environment.get("DATABASE_URL", ""),
        environment.get("REDIS_URL", ""),
    )
    services = Services(data, database_url, environment.get("DATABASE_OWNER_URL", ""), redis_url, {})
    if not database_url:
        roles = (postgres.SUPERUSER, postgres.OWNER_ROLE, APPLICATION_ROLE)
        passwords = {role: keys.stored(data, f"{role}_password") for role in roles}
        server = Postgres(data / "postgres", passwords=passwords, log=_log(logs / "postgres.log"))
        stack.callback(server.stop)
        services = replace(
            services,
            database_url=server.url(APPLICATION_ROLE),
            owner_url=server.url(postgres.OWNER_ROLE),
            processes=services.processes | {"postgres": server.process.pid},
        )
    if not redis_url:
        password = keys.stored(data, "redis_password")
        broker = Valkey(data / "valkey", password=password, log=_log(logs / "valkey.log"))
        stack.callback(broker.stop)
        services = replace(
            services,
            redis_url=broker.url,
            processes=services.processes | {"valkey": broker.process.pid},
        )
    return services


def _log(path: Path) -> Path:
    """Return the log's path, the last one moved aside when it has grown large."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
    return path


def _state(data: Path) -> _State | None:
    try:
        return _State(**json.loads((data / _STATE).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _publish(data: Path, services: Services, *, command: str, url: str) -> None:
    state = _State(
        os.getpid(),
        command,
        url,
        services.database_url,
        services.owner_url,
        services.redis_url,
        services.processes,
    )
    # Complete before it is visible: a reader sees the old file or the new one.
    fresh = data / f".{_STATE}"
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(asdict(state)))
    fresh.replace(data / _STATE)
