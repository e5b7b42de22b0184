"""One PostgreSQL server for one data directory.

PostgreSQL refuses to run as root. Then its programs and its data belong to the user `nobody`,
and the data lie under /var/tmp when `nobody` cannot reach the data directory.
"""

import hashlib
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from config.databases import APPLICATION_ROLE
from config.embedded import binaries, processes
from config.embedded.errors import EmbeddedError

SUPERUSER: Final = "postgres"
OWNER_ROLE: Final = "exchange_owner"
DATABASE: Final = "exchange"
UNPRIVILEGED: Final = "nobody"

_BUILTIN_LOCALE_SINCE: Final = 17
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 30
_ELSEWHERE: Final = Path("/var/tmp")  # noqa: S108  # keyed by the data directory, owned by the unprivileged user


class Postgres:
    """A running server with its two roles and its database."""

    def __init__(
        self,
        directory: Path,
        *,
        passwords: dict[str, str],
        log: Path,
        durable: bool = True,
    ) -> None:
        """Start the server, making its cluster first when there is none, and wait until it answers.

        `passwords` has one for each of the three roles. Without `durable` a crash of the machine may
        lose everything, which is right for tests. Raises EmbeddedError with where its log is.
        """
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None
        self.programs = binaries.postgres(world_readable=self.user is not None)
        self.passwords = passwords
        self.log = log
        self.port = processes.free_port()
        self.directory = _place(directory, self.user)
        if not (self.directory / "PG_VERSION").exists():
            self._make_cluster(durable=durable)
        _stop_stranded(self.directory)
        self.process = self._start(durable=durable)
        try:
            self._await()
            self._provide_roles()
        except BaseException:
            self.stop()
            raise

    def url(self, role: str, *, database: str = DATABASE) -> str:
        """Return the address at which a role reaches a database of this server."""
        return f"postgres://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """End the server: connections are cut, finished transactions are kept."""
        processes.stop(self.process, first=signal.SIGINT, seconds=_STOP_SECONDS)

    def _make_cluster(self, *, durable: bool) -> None:
        # Made beside its place and renamed when whole: an interrupted start leaves no half cluster.
        fresh = self.directory.with_name(self.directory.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.directory.with_name(self.directory.name + ".password")
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        try:
            secret.write_text(self.passwords[SUPERUSER])
            if self.user is not None:
                shutil.chown(secret, self.user)
            command = [
                str(self.programs / "initdb"),
                "-D",
                str(fresh),
                "-U",
                SUPERUSER,
                "--encoding=UTF8",
            ]
            command += [
                "--auth=scram-sha-256",
                f"--pwfile={secret}",
                *_locale(self.programs),
            ]
            command += [] if durable else ["--no-sync"]
            processes.run_as(self.user, command, directory=Path("/"))
        except subprocess.CalledProcessError as error:
            raise EmbeddedError(f"initdb failed: {error.stdout.decode(errors='replace').strip()}") from error
        finally:
            secret.unlink(missing_ok=True)
        fresh.rename(self.directory)

    def _start(self, *, durable: bool) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "jit": "off",  # short queries only: compiling them costs more than it saves
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not durable:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "max_wal_size": "4GB",
            }
        command = [str(self.programs / "postgres"), "-D", str(self.directory)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as output:
            return processes.spawn(
                command,
                output=output,
                death_signal=signal.SIGINT,
                user=self.user,
                directory=Path("/"),
            )

    def _await(self) -> None:
        if not processes.wait_until(
            lambda: self.process.poll() is not None or self._answers(),
            seconds=_START_SECONDS,
        ):
            raise EmbeddedError(f"PostgreSQL did not answer within {_START_SECONDS} s; its log is {self.log}.")
        if self.process.poll() is not None:
            raise EmbeddedError(
                f"PostgreSQL ended at its start with code {self.process.returncode}; its log is {self.log}."
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(SUPERUSER, database="postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedError(
                    f"The secrets beside {self.directory} are not the ones it was made with; restore them, or "
                    "remove the data directory to start afresh."
                ) from error
            return False
        return True

    def _provide_roles(self) -> None:
        """Make the owner, the application role and the database, whichever is missing."""
        with psycopg.connect(self.url(SUPERUSER, database="postgres"), autocommit=True) as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            # The owner may make databases, so that tests can; it is no superuser and bypasses no guard.
            for role, may in (
                (OWNER_ROLE, "CREATEDB"),
                (APPLICATION_ROLE, "NOCREATEDB"),
            ):
                if role not in roles:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                            sql.Identifier(role),
                            sql.SQL(may),
                            sql.Literal(self.passwords[role]),
                        )
                    )
            # Also that it may cut the application's connections to a database that it removes.
            connection.execute(sql.SQL("GRANT pg_signal_backend TO {}").format(sql.Identifier(OWNER_ROLE)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
                )


def _locale(programs: Path) -> list[str]:
    """Return initdb's options for an order that no upgrade of the system's libraries changes."""
    version = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    number = int("".join(character if character.isdigit() else " " for character in version).split()[0])
    if number >= _BUILTIN_LOCALE_SINCE:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


def _place(directory: Path, user: str | None) -> Path:
    """Return where the cluster lies: in `directory`, or elsewhere when the server's user cannot get there."""
    if user is None:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory
    note = directory.with_name("postgres-is-at")
    if note.exists():
        return Path(note.read_text().strip())
    directory.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    home = directory.with_name("postgres-home")
    with suppress(FileExistsError):
        home.mkdir(mode=0o700)
    shutil.chown(home, user)
    if _may_write(home, user):
        return home / "data"
    home.rmdir()
    home = _ELSEWHERE / f"compute-exchange-{hashlib.sha256(str(directory).encode()).hexdigest()[:16]}"
    if home.exists():
        # Left by a data directory of this path that was removed: its passwords went with it.
        shutil.rmtree(home)
    home.mkdir(mode=0o700)
    shutil.chown(home, user)
    note.write_text(f"{home / 'data'}\n")
    return home / "data"


def _may_write(directory: Path, user: str) -> bool:
    try:
        processes.run_as(user, ["/usr/bin/env", "test", "-w", f"{directory}/"], directory=Path("/"))
    except subprocess.CalledProcessError:
        return False
    return True


def _stop_stranded(directory: Path) -> None:
    """End a server of this very directory that a killed predecessor left behind.

    Raises EmbeddedError when it does not end.
    """
    try:
        pid = int((directory / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if not _serves(pid, directory):
        return
    # It may already be ending: the kernel told it when its parent died.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    if not processes.wait_until(lambda: not processes.is_alive(pid), seconds=_STOP_SECONDS):
        raise EmbeddedError(f"A PostgreSQL server (process {pid}) still uses {directory} and does not end.")


def _serves(pid: int, directory: Path) -> bool:
    """Tell whether the process is a server of this directory and not a stranger who got the old number."""
    with suppress(OSError):
        return str(directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
