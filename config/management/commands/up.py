"""The whole exchange in the foreground: database, broker, web, worker and beat."""

import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from io import StringIO
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser

from config import embedded, schema
from config.embedded import services as embedded_services
from config.supervisor import ProcessEnded, Supervisor

_DEFAULT_PORT: Final = 8000
_PORTS_TRIED: Final = 100
_START_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.05
_WEB_PROCESSES: Final = 2
_WEB_THREADS: Final = 4
# Work in the background may take longer than a request.
_WORKER_STATEMENT_SECONDS: Final = 600


class Command(BaseCommand):
    """Start everything, say READY, and run until Ctrl-C or until one of the processes ends."""

    help = "Run the exchange on this machine: embedded services, web server, worker and beat."
    requires_system_checks: list[str] = []  # they are `manage.py check`; a start should be quick

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port",
            type=_port,
            help=f"where the web server listens (default: {_DEFAULT_PORT})",
        )
        parser.add_argument("--empty", action="store_true", help="do not load the demo market")
        parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: .data)")

    def handle(self, *args: Any, **options: Any) -> None:
        port = _listenable(options["port"])
        data = Path(settings.DATA_DIR)
        run = data / "run"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(mode=0o700)
        with embedded.running(data) as services:  # those that the command line has started for this process
            schema.bring_up_to_date()
            self._first_start(data, empty=options["empty"])
            supervisor = Supervisor(services.processes)
            try:
                _start(supervisor, data, port)
                _await(supervisor, run, port)
                url = f"http://127.0.0.1:{port}"
                embedded_services.announce(services, command="up", url=url)
                supervisor.say(f"READY {url}")
                if _market(data) == "demo" and "demo_logins" in get_commands():
                    supervisor.say(_output_of("demo_logins"))
                supervisor.watch()
            except ProcessEnded as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                supervisor.say("Stopping.")
            finally:
                supervisor.stop()

    def _first_start(self, data: Path, *, empty: bool) -> None:
        """Load the demo market once; what was chosen at the first start holds for these data."""
        if _market(data):
            if _market(data) == "empty" and not empty:
                self.stdout.write("These data were begun with --empty; the demo market needs another --data DIR.")
            return
        choice = "demo"
        if empty:
            choice = "empty"
        elif not (data / "postgres-is-at").exists() and _is_foreign(data):
            choice = "kept"  # a database from outside that somebody uses already
        elif "load_demo" in get_commands():
            self.stdout.write("Loading the demo market ...")
            call_command("load_demo")
        (data / "market").write_text(choice + "\n")


def _market(data: Path) -> str:
    try:
        return (data / "market").read_text().strip()
    except FileNotFoundError:
        return ""


def _is_foreign(data: Path) -> bool:
    own = (data / "postgres").exists() or (data / "postgres-home").exists()
    return not own and get_user_model()._default_manager.exists()


def _output_of(command: str) -> str:
    output = StringIO()
    call_command(command, stdout=output)
    return output.getvalue().rstrip("\n")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError(text)
    return int(text)


def _listenable(asked: int | None) -> int:
    """Return the port to listen on; raises CommandError when the one asked for is taken."""
    if asked is not None:
        if not _is_free(asked):
            raise CommandError(f"Port {asked} of 127.0.0.1 is taken. Give another with --port, or none.")
        return asked
    for port in range(_DEFAULT_PORT, _DEFAULT_PORT + _PORTS_TRIED):
        if _is_free(port):
            return port
    raise CommandError(f"Ports {_DEFAULT_PORT} to {_DEFAULT_PORT + _PORTS_TRIED - 1} are taken. Give one with --port.")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As the web server does: a connection that is winding down does not hold the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _start(supervisor: Supervisor, data: Path, port: int) -> None:
    run = data / "run"
    common = {
        "PYTHONUNBUFFERED": "1",
        # A local start as root is what containers do; the data are this user's own.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_ENCRYPTION_KEY": settings.FIELD_ENCRYPTION_KEY,
        "EXCHANGE_RUN": str(run),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")])),
    }
    web = [
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--no-control-socket",
    ]
    web += [
        "--worker-class",
        "gthread",
        "--workers",
        str(_WEB_PROCESSES),
        "--threads",
        str(_WEB_THREADS),
    ]
    web += ["--worker-tmp-dir", str(run), "--log-level", "warning"]
    supervisor.start("web", web, environment=common)
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery"]
    worker = [
        *celery,
        "worker",
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
    ]
    background = common | {"DATABASE_STATEMENT_TIMEOUT_SECONDS": str(_WORKER_STATEMENT_SECONDS)}
    supervisor.start("worker", worker, environment=background)
    supervisor.start(
        "beat",
        [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
        environment=background,
    )


def _await(supervisor: Supervisor, run: Path, port: int) -> None:
    """Wait until web answers and worker and beat have said that they work."""
    deadline = time.monotonic() + _START_SECONDS
    while not ((run / "worker").exists() and (run / "beat").exists() and _answers(port)):
        supervisor.check()
        if time.monotonic() > deadline:
            raise CommandError(f"Web, worker and beat did not all start within {_START_SECONDS} s.")
        time.sleep(_POLL_SECONDS)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
