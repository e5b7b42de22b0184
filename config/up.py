"""The whole exchange in the foreground: database, broker, web, worker and beat.

This process only watches the others. It does not load Django, which would be most of a warm start;
what needs it once (migrations, the demo market) is `manage.py prepare` in a process of its own.
"""

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from config.bootstrap import ROOT
from config.embedded import Services
from config.embedded import services as embedded_services
from config.supervisor import ProcessEnded, Supervisor

_DEFAULT_PORT: Final = 8000
_PORTS_TRIED: Final = 100
_BACKLOG: Final = 2048  # connections that wait to be accepted, as many as the web server would let wait
_START_SECONDS: Final = 120  # the slowest machine that is still worth waiting for
_POLL_SECONDS: Final = 0.1
_WEB_PROCESSES: Final = 2
_WEB_THREADS: Final = 4
# Work in the background may take longer than a request.
_WORKER_STATEMENT_SECONDS: Final = 600
_APPS: Final = ("accounts", "catalog", "billing", "exchange", "config")


class UpError(Exception):
    """The exchange cannot be started; the message says why."""


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command's arguments."""
    reader = argparse.ArgumentParser(
        prog="manage.py up", description="Run the exchange on this machine: services, web server, worker and beat."
    )
    reader.add_argument("--port", type=_port, help=f"where the web server listens (default: {_DEFAULT_PORT})")
    reader.add_argument("--empty", action="store_true", help="do not load the demo market")
    # Understood by every command before it gets here; named for the help alone.
    reader.add_argument("--data", metavar="DIR", help="where everything is kept (default: .data)")
    return reader


def run(arguments: list[str], services: Services) -> int:
    """Start everything on these services, say READY, and run until Ctrl-C or until a process ends.

    Returns the exit code.
    """
    options = parser().parse_args(arguments)
    supervisor = Supervisor(services.processes)
    try:
        with _listening(options.port) as listener:
            _serve(supervisor, services, listener, empty=options.empty)
    except (UpError, ProcessEnded) as error:
        supervisor.say(str(error))
        return 1
    except KeyboardInterrupt:
        supervisor.say("Stopping.")
        return 0
    finally:
        supervisor.stop()


def _serve(supervisor: Supervisor, services: Services, listener: socket.socket, *, empty: bool) -> NoReturn:
    data = services.data
    _prepare(services, empty=empty)
    place = data / "run"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    port: int = listener.getsockname()[1]
    _start(supervisor, place, listener)
    _await(supervisor, place, port)
    url = f"http://127.0.0.1:{port}"
    embedded_services.announce(services, command="up", url=url)
    supervisor.say(f"READY {url}")
    logins = data / "logins"
    if logins.exists():
        supervisor.say(logins.read_text().rstrip("\n"))
    supervisor.watch()


def _prepare(services: Services, *, empty: bool) -> None:
    """Bring the database to what this code expects, unless it was at the last start of the same code.

    Raises UpError when that fails.
    """
    done = services.data / "prepared"
    fingerprint = _fingerprint(services)
    if not done.exists() or done.read_text() != fingerprint:
        command = [sys.executable, str(ROOT / "manage.py"), "prepare", *(["--empty"] if empty else [])]
        code = subprocess.run(command, check=False).returncode
        if code != 0:
            raise UpError(f"Preparing the database failed with code {code}.")
        done.write_text(fingerprint)


def _fingerprint(services: Services) -> str:
    """Return what changes with the database, its migrations, its grants and the locked dependencies."""
    digest = hashlib.sha256()
    if "postgres" not in services.processes:  # the embedded one has another port at every start
        digest.update(services.database_url.encode())
    migrations = (path for app in _APPS for path in sorted((ROOT / app).glob("migrations/*.py")))
    for path in (ROOT / "requirements.lock", *((ROOT / app / "apps.py") for app in _APPS), *migrations):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; expected a whole number from 1 to 65535")
    return int(text)


def _listening(asked: int | None) -> socket.socket:
    """Return a socket that listens on the port to serve at; raises UpError when the one asked for is taken.

    It listens from now on, for the web server to take over: a start takes seconds, in which another could be quicker.
    """
    ports = range(_DEFAULT_PORT, _DEFAULT_PORT + _PORTS_TRIED) if asked is None else (asked,)
    for port in ports:
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    if asked is None:
        raise UpError(f"Ports {ports[0]} to {ports[-1]} are taken. Give one with --port.")
    raise UpError(f"Port {asked} of 127.0.0.1 is taken. Give another with --port, or none.")


def _start(supervisor: Supervisor, place: Path, listener: socket.socket) -> None:
    common = {
        "PYTHONUNBUFFERED": "1",
        # A local start as root is what containers do; the data are this user's own.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "EXCHANGE_RUN": str(place),
        # Celery would run all system checks, addresses and views included, before its first task.
        "CELERY_SKIP_CHECKS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    socket_number = listener.fileno()
    web = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"fd://{socket_number}", "--no-control-socket"]
    web += ["--worker-class", "gthread", "--workers", str(_WEB_PROCESSES), "--threads", str(_WEB_THREADS)]
    web += ["--preload", "--worker-tmp-dir", str(place), "--log-level", "warning"]
    supervisor.start("web", web, environment=common, inherited=[socket_number])
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    background = common | {"DATABASE_STATEMENT_TIMEOUT_SECONDS": str(_WORKER_STATEMENT_SECONDS)}
    supervisor.start("worker", worker, environment=background)
    supervisor.start("beat", [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""], environment=background)


def _await(supervisor: Supervisor, place: Path, port: int) -> None:
    """Wait until web answers and worker and beat have said that they work."""
    deadline = time.monotonic() + _START_SECONDS
    while not ((place / "worker").exists() and (place / "beat").exists() and _answers(port)):
        supervisor.check()
        if time.monotonic() > deadline:
            raise UpError(f"Web, worker and beat did not all start within {_START_SECONDS} s.")
        time.sleep(_POLL_SECONDS)


def _answers(port: int) -> bool:
    """Tell whether the web server answers yet; raises UpError when it answers and cannot work."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        raise UpError(f"The web server answers {error.code} at /healthz; its log is above.") from error
    except OSError:
        return False
