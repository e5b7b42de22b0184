"""From a bare Python to the project's own environment, with the standard library alone.

`enter` makes `.venv`, installs the locked dependencies when the lock files have changed since
the last time, and continues the same command there. A stamp makes a warm start free, a file lock
keeps two starts apart, and a start that was interrupted is repaired by the next one.
Where packages come from is the machine's affair: pip's own configuration decides, and
uv, which is many times faster but reads other settings, is told what pip would do.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parent.parent
ENVIRONMENT: Final = ROOT / ".venv"
RUNTIME_LOCK: Final = ROOT / "requirements.lock"
TEST_LOCK: Final = ROOT / "requirements-test.lock"
INSTALLER_LOCK: Final = ROOT / "requirements-installer.lock"

_PYTHON: Final = ENVIRONMENT / "bin" / "python"
_UNFINISHED: Final = ENVIRONMENT / ".unfinished"

# How uv spells what pip's configuration says.
_PIP_TO_UV: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


class BootstrapError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def enter(arguments: list[str]) -> None:
    """Return at once inside the environment; elsewhere make it ready and continue the command there.

    Ends the process with a message when the environment cannot be made.
    """
    if Path(sys.prefix).resolve() == ENVIRONMENT.resolve():
        return
    try:
        ensure(with_tests=_needs_test_tools(arguments))
    except BootstrapError as error:
        sys.exit(str(error))
    _continue_inside(arguments)


def _needs_test_tools(arguments: list[str]) -> bool:
    return arguments[1:2] == ["test"]


def _continue_inside(arguments: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execv(_PYTHON, [str(_PYTHON), *arguments])


def ensure(*, with_tests: bool) -> None:
    """Make the environment hold what the lock files say; raises BootstrapError."""
    locks = [RUNTIME_LOCK, TEST_LOCK] if with_tests else [RUNTIME_LOCK]
    if _ready(locks):
        return
    with (Path(tempfile.gettempdir()) / _lock_name()).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The installers hold the lock too: when this process is killed, the next start waits for the one
        # that is left behind and does not install beside it.
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003  # its only spelling
        if _ready(locks):  # another start did it while this one waited
            return
        _make()
        _install(locks[-1])
        # The test lock holds everything that the runtime lock does, at the same versions.
        for satisfied in locks:
            _stamp(satisfied).write_text(_fingerprint(satisfied))


def _lock_name() -> str:
    # Not inside .venv, which may be removed and made again while the lock is held; per user, so that
    # another user's file of this name is not in the way.
    key = hashlib.sha256(str(ENVIRONMENT).encode()).hexdigest()[:16]
    return f"compute-exchange-bootstrap-{os.getuid()}-{key}.lock"


def _stamp(lock: Path) -> Path:
    return ENVIRONMENT / f".installed-{lock.stem}"


def _fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _ready(locks: list[Path]) -> bool:
    if _UNFINISHED.exists() or not _PYTHON.exists():  # exists() is False for a link whose Python is gone
        return False
    return all(_stamp(lock).exists() and _stamp(lock).read_text() == _fingerprint(lock) for lock in locks)


def _make() -> None:
    """Make an empty environment unless there is a whole one."""
    if ENVIRONMENT.exists() and (_UNFINISHED.exists() or not _runs()):
        shutil.rmtree(ENVIRONMENT)
    if not ENVIRONMENT.exists():
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise BootstrapError(
                f"Python {version} lacks its venv module. Install it (on Debian and Ubuntu: "
                f"apt install python{version}-venv) and run the same command again."
            )
        _say("making .venv")
        ENVIRONMENT.mkdir()
        _UNFINISHED.touch()
        _run(
            [sys.executable, "-m", "venv", str(ENVIRONMENT)],
            failure="Making .venv failed",
        )
    _UNFINISHED.touch()


def _runs() -> bool:
    try:
        return subprocess.run([_PYTHON, "-c", ""], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _install(lock: Path) -> None:
    _say(f"installing {lock.name}")
    if not _installed_by_uv(lock):
        command = [
            str(_PYTHON),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            str(lock),
        ]
        _run(command, failure=f"Installing {lock.name} failed")
    _UNFINISHED.unlink()


def _installed_by_uv(lock: Path) -> bool:
    """Install with uv; False when it cannot be had here or does not manage, and pip has to."""
    pip = [
        str(_PYTHON),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "-r",
        str(INSTALLER_LOCK),
    ]
    if subprocess.run(pip, check=False, close_fds=False, capture_output=True).returncode != 0:
        return False
    uv = [
        str(ENVIRONMENT / "bin/uv"),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(_PYTHON),
    ]
    # With hashes every index may offer what it has: nothing but the locked files is accepted.
    uv += ["--require-hashes", "--index-strategy", "unsafe-best-match", "-r", str(lock)]
    finished = subprocess.run(uv, check=False, close_fds=False, env=_uv_environment(), capture_output=True)
    return finished.returncode == 0


def _uv_environment() -> dict[str, str]:
    """Return the environment for uv: what it is told already, else what pip's configuration says."""
    environment = dict(os.environ)
    for key, value in _pip_configuration().items():
        name = _PIP_TO_UV.get(key)
        if name is not None:
            environment.setdefault(name, value)
    return environment


def _pip_configuration() -> dict[str, str]:
    """Return pip's settings from its files and its variables; the latter win, as they do for pip."""
    listing = subprocess.run(
        [_PYTHON, "-m", "pip", "config", "list"],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    settings: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        key, separator, value = line.partition("=")
        section, _, name = key.partition(".")
        if separator and section in {"global", "install", ":env:"}:
            settings[name] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return settings


def _run(command: list[str], *, failure: str) -> None:
    finished = subprocess.run(
        command,
        check=False,
        close_fds=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if finished.returncode != 0:
        raise BootstrapError(f"{failure}:\n{finished.stdout.strip()}")


def _say(what: str) -> None:
    sys.stderr.write(f"manage.py: {what} ...\n")
    sys.stderr.flush()
