"""What the export commands have in common: a demo to export, one snapshot to read, and a whole file or none."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from django.core.management.base import CommandError
from django.db import connection, transaction

from config import throwaway
from exchange.demo import months
from exchange.demo.cast import Cast


class Printer(Protocol):
    """Where a command says what it does."""

    def write(self, text: str) -> object:
        """Write a line."""


def add_demo(parser: ArgumentParser) -> None:
    """Declare `--demo`; `config.command_line` gives the command its own database when it is there."""
    parser.add_argument(
        "--demo", action="store_true", help="simulate a small month in a database of its own, and export that"
    )


def simulate(printer: Printer) -> Cast:
    """Play the demo's month in the command's own database, which holds nothing else, and return who took part."""
    throwaway.start_over()
    printer.write(f"Simulating {months.FIRST:%B %Y} ...")
    return months.play()


@contextmanager
def snapshot() -> Iterator[None]:
    """Read one committed state of the database inside the block, however long it takes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def destination(text: str) -> Path:
    """Read the value of `--out`; raises ArgumentTypeError at once where no file could be written in the end."""
    path = Path(text)
    try:
        if path.is_dir():
            raise ArgumentTypeError(f"expected a file, got the directory {text!r}")
        if not path.parent.is_dir():
            raise ArgumentTypeError(f"there is no directory {str(path.parent)!r}")
    except OSError as error:
        raise ArgumentTypeError(f"{path} cannot be written: {error.strerror}") from error
    return path


@contextmanager
def file_at(path: Path) -> Iterator[IO[Any]]:
    """Write a file that takes its place once it is whole; raises CommandError when it cannot be written.

    What is there and no file, such as a pipe or `/dev/null`, is written into and never replaced.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as out:
                yield out
        else:
            with _whole(path.resolve()) as out:
                yield out
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _whole(path: Path) -> Iterator[IO[Any]]:
    # Not named after the file, whose name may be as long as a name can be; of this process alone.
    unfinished = path.with_name(f".{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
