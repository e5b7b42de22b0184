"""Child processes that never outlive the one that started them."""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.02
# Below the range that Linux gives to outgoing connections: one of those could take a port before its server does.
_SERVER_PORTS: Final = range(20_000, 32_768)


def spawn(
    command: Sequence[str],
    *,
    output: IO[Any] | int,
    death_signal: signal.Signals = signal.SIGTERM,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches only its parent.

    On Linux the kernel sends it `death_signal` when the parent dies, however it dies.
    `output` takes its stdout and stderr; `inherited` are the open files that it finds under the same numbers.
    """
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509  # nothing but one system call
        cwd=directory,
        env=None if environment is None else dict(environment),
        pass_fds=inherited,
        **_as_user(user),
    )


def _as_user(user: str | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": _group_of(user), "extra_groups": []}


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415  # not on every system that only reads this module

    return pwd.getpwnam(user).pw_gid


def run_as(user: str | None, command: Sequence[str], *, directory: Path | None = None) -> None:
    """Run a command to its end as another user; raises CalledProcessError with its output."""
    subprocess.run(
        list(command),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=directory,
        **_as_user(user),
    )


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec only the call itself is safe.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return arrange


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now."""
    while True:
        port = secrets.choice(_SERVER_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def is_alive(pid: int) -> bool:
    """Tell whether a process of this id exists (a zombie does not count)."""
    with suppress(OSError):
        # The state follows the last parenthesis: a command's name may hold any character.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll the condition until it holds or the time is up; tell whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def stop(process: subprocess.Popen[bytes], *, first: signal.Signals, seconds: float) -> None:
    """Ask a process to end, and kill its whole group when it has not after `seconds`."""
    ask_to_end(process, first)
    finish(process, seconds=seconds)


def ask_to_end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a process unless it has ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(number)


def finish(process: subprocess.Popen[bytes], *, seconds: float) -> None:
    """Wait for a process that was asked to end, and kill what is left of its group after `seconds`."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    # Also after a clean end: a member of its group may have been left behind.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
