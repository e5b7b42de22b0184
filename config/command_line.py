"""What `manage.py` does inside the environment: give a command its database, then run it.

A command that needs the database gets the embedded services for its own duration when none is
configured, or those of an `up` that is running. `--data DIR`, before or after the command's own
options, says which data directory is meant and thereby which embedded database.
"""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from config import embedded, up
from config.bootstrap import ROOT

# These never touch the database; every other command may.
WITHOUT_DATABASE: Final = frozenset(
    {
        "check",
        "clear_book",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "makemigrations",
        "spectacular",
        "startapp",
        "startproject",
        "test",
        "verify_outcome",
        "version",
        "--help",
        "--version",
        "-h",
    }
)
# These run in a database of their own, never in the one that is configured: name -> directory below .data.
OWN_DATABASE: Final = {"simulate": "simulation"}
# And these with `--demo`, in which they export what they have simulated.
DEMO_DATABASE: Final = {"export_focus": "demo-month", "export_journal": "demo-month"}
# These look at or make the schema themselves.
_SCHEMA: Final = frozenset({"migrate", "showmigrations", "sqlmigrate", "prepare", "up"})

_CONFIGURED: Final = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a Chinese name is no reason to stop: it shows the name's code points.
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _leave)
    # A script's background process starts with the interrupt ignored; it must stop `up` all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        arguments, data = _without_data(arguments)
        with _services(arguments, data) as services:
            if services is not None and _command(arguments) == "up":
                return up.run(arguments[2:], services)
            embedded_database = services is not None and "postgres" in services.processes
            return _execute(
                arguments,
                migrate=embedded_database and _command(arguments) not in _SCHEMA,
            )
    except (embedded.EmbeddedError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _command(arguments: list[str]) -> str:
    return arguments[1] if len(arguments) > 1 else "help"


def _leave(number: int, frame: FrameType | None) -> None:
    # As an exception, so that every `finally` on the way out stops what it started.
    raise SystemExit(128 + number)


def _without_data(arguments: list[str]) -> tuple[list[str], Path | None]:
    """Split `--data DIR` off the arguments; every command understands it, so none has to declare it."""
    rest: list[str] = []
    data: Path | None = None
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument == "--data" or argument.startswith("--data="):
            value = argument[len("--data=") :] if "=" in argument else next(waiting, "")
            if not value:
                raise embedded.EmbeddedError("--data needs a directory.")
            data = Path(value).absolute()
        else:
            rest.append(argument)
    return rest, data


@contextmanager
def _services(arguments: list[str], data: Path | None) -> Iterator[embedded.Services | None]:
    """Put the addresses of the services that the command needs into the environment.

    Yields the services of the data directory, None when it takes no part in this command.
    """
    command = _command(arguments)
    if data is not None:
        os.environ["EXCHANGE_DATA"] = str(data)
    if command in WITHOUT_DATABASE or {"-h", "--help"} & set(arguments):
        yield None
        return
    own = _own_directory(arguments)
    configured = {} if own is not None else _configured(command, data)
    if command != "up" and len(configured) == len(_CONFIGURED) - ("DATABASE_OWNER_URL" not in configured):
        yield None
        return
    for name in set(_CONFIGURED) - set(configured):
        os.environ.pop(name, None)
    with embedded.running(
        _data_directory(own, data),
        command=command,
        exclusive=command == "up",
        environment=configured,
    ) as services:
        os.environ.update(services.environment())
        yield services


def _configured(command: str, data: Path | None) -> dict[str, str]:
    """Return the addresses from outside that count: none when the command names a database directory."""
    if data is not None and command != "up":
        return {}
    given = {name: os.environ.get(name, "").strip() for name in _CONFIGURED}
    if not given["DATABASE_URL"]:
        given["DATABASE_OWNER_URL"] = ""
    return {name: value for name, value in given.items() if value}


def _own_directory(arguments: list[str]) -> str | None:
    """Return where the command's own database is, below the data directory; None when it has none."""
    command = _command(arguments)
    return OWN_DATABASE.get(command) or (DEMO_DATABASE.get(command) if "--demo" in arguments else None)


def _data_directory(own: str | None, data: Path | None) -> Path:
    if data is not None:
        return data
    general = Path(os.environ.get("EXCHANGE_DATA", "").strip() or ROOT / ".data")
    return general if own is None else general / own


def _execute(arguments: list[str], *, migrate: bool) -> int:
    # Django reads its settings at import, so only after the addresses are in the environment.
    import django  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    if migrate:
        from config import schema  # noqa: PLC0415

        django.setup()
        schema.bring_up_to_date()
    execute_from_command_line(arguments)
    return 0
