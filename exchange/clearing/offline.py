"""Clearing without a market: book files in, outcome files out.

A folder is cleared book by book in one process; a bad book is named and left out, and does not stop the others.
Files appear whole or not at all.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exchange.clearing import canonical_json, engine, parsing
from exchange.clearing.engine import Result
from exchange.clearing.errors import BookError, EngineFault


@dataclass(frozen=True)
class Job:
    """One book to clear and where its documents go; certificate and record are optional."""

    book: Path
    outcome: Path
    certificate: Path | None = None
    record: Path | None = None


@dataclass(frozen=True)
class Done:
    """A cleared book: its file and its result."""

    book: Path
    result: Result


@dataclass(frozen=True)
class Refused:
    """A book that was not cleared: its file and the sentence that says why."""

    book: Path
    reason: str


class NothingToClear(ValueError):
    """The paths given do not say what to clear, or would overwrite the books."""


def jobs(source: Path, *, outcome: Path, certificate: Path | None = None, record: Path | None = None) -> list[Job]:
    """Return what to clear: one book, or every ``*.json`` of a folder under the same name in the target folders."""
    targets = [target for target in (outcome, certificate, record) if target is not None]
    if len({target.resolve() for target in (source, *targets)}) <= len(targets):
        raise NothingToClear("The book, the outcome, the certificate and the record need paths of their own.")
    if not source.is_dir():
        return [Job(source, outcome, certificate, record)]
    books = sorted(path for path in source.glob("*.json") if path.is_file())
    if not books:
        raise NothingToClear(f"{source} holds no *.json file.")
    return [
        Job(
            book=book,
            outcome=outcome / book.name,
            certificate=certificate / book.name if certificate else None,
            record=record / book.name if record else None,
        )
        for book in books
    ]


def run(todo: list[Job]) -> Iterator[Done | Refused]:
    """Clear the books one after the other, in order."""
    for job in todo:
        try:
            yield Done(job.book, _clear(job))
        except (BookError, EngineFault, OSError) as error:
            yield Refused(job.book, str(error))
        except (AssertionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A bug of the engine on one book must not keep the others waiting.
            yield Refused(job.book, f"the engine failed: {error!r}")


def _clear(job: Job) -> Result:
    result = engine.clear(parsing.parse_book(job.book.read_bytes()))
    if job.certificate:
        _write(job.certificate, canonical_json.dump(result.certificate.to_document()))
    if job.record:
        _write(job.record, canonical_json.dump(result.record_document()))
    # The outcome last: where it stands, everything else does.
    _write(job.outcome, result.outcome.canonical_bytes())
    return result


def _write(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():
        # A pipe or /dev/null is written into: the administrator's rename would replace it.
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for the owner alone; an outcome is public.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
