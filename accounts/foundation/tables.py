"""Rows that a person or a program hands in, as CSV or as JSON objects: read strictly, each problem by row and field."""

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from accounts.foundation import strict

Inward = TypeVar("Inward")

LONGEST_CELL_SHOWN: Final = 60  # characters of what was seen
_MAX_HEADER_PROBLEMS: Final = 50


@dataclass(frozen=True)
class Problem:
    """One field of one row that cannot be read: rows count from 1, and 0 is the file itself."""

    row: int
    field: str
    seen: str
    expected: str

    def __str__(self) -> str:
        place = f"row {self.row}, " if self.row else ""
        return f"{place}{self.field}: {self.seen!r} was found; expected {self.expected}."


class Unreadable(Exception):
    """The file is no such table: every problem that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(str(problems[0]))
        self.problems = problems


@dataclass
class Row:
    """One row by the names of its columns; what of it cannot be read becomes a problem."""

    number: int
    cells: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a cell without surrounding space; one that is not there is empty."""
        return self.cells.get(name, "").strip()

    def read(self, name: str, reader: Callable[[str], Inward]) -> Inward | None:
        """Return what a strict reader makes of a cell, or None after a problem."""
        try:
            return reader(self.text(name))
        except strict.Mismatch as mismatch:
            self.wrong(name, self.text(name), mismatch.expected)
            return None

    def read_optional(self, name: str, reader: Callable[[str], Inward]) -> Inward | None:
        """Return the same, or None without a problem where the cell is empty."""
        return self.read(name, reader) if self.text(name) else None

    def wrong(self, name: str, seen: str, expected: str) -> None:
        """Note that a cell cannot be what it says."""
        self.problems.append(Problem(self.number, name, seen[:LONGEST_CELL_SHOWN], expected))


def read_csv(text: str, *, required: Sequence[str], optional: Sequence[str], most: int) -> list[Row]:
    """Return the rows of a CSV: UTF-8, commas, a header with our names. Raises Unreadable.

    A row with another number of cells than the header has no cells and one problem.
    """
    lines = _lines(text, most)
    header = [name.strip().lower() for name in lines[0]] if lines else []
    _check_header(header, required, optional)
    if len(lines) == 1:
        raise Unreadable([Problem(0, "file", "no rows", "a row for each of them")])
    rows = []
    for number, cells in enumerate(lines[1:], start=1):
        if len(cells) == len(header):
            rows.append(Row(number, dict(zip(header, cells, strict=True))))
            continue
        broken = Row(number, {})
        broken.wrong("row", f"{len(cells)} cells", f"{len(header)} cells, as in the header")
        rows.append(broken)
    return rows


def of_objects(objects: Sequence[object], *, required: Sequence[str], optional: Sequence[str]) -> list[Row]:
    """Return rows of JSON objects whose values are texts; another shape is a problem of its row."""
    return [_of_object(number, given, required, optional) for number, given in enumerate(objects, start=1)]


def _of_object(number: int, given: object, required: Collection[str], optional: Collection[str]) -> Row:
    if not isinstance(given, Mapping):
        row = Row(number, {})
        row.wrong("row", str(given), "an object")
        return row
    row = Row(number, {str(name): value for name, value in given.items() if isinstance(value, str)})
    for name, value in given.items():
        if name not in required and name not in optional:
            row.wrong(str(name)[:LONGEST_CELL_SHOWN], str(value), f"one of {', '.join((*required, *optional))}")
        elif not isinstance(value, str):
            row.wrong(str(name), str(value), "a text")
    for name in required:
        if name not in given:
            row.wrong(name, "", "a text")
    return row


def _lines(text: str, most: int) -> list[list[str]]:
    lines: list[list[str]] = []
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for line in reader:
            if line:
                lines.append(line)
            if len(lines) > most + 1:
                raise Unreadable([Problem(0, "file", f"more than {most} rows", f"{most} rows or fewer")])
    except csv.Error as error:
        raise Unreadable([Problem(reader.line_num, "row", str(error), "cells in the format of CSV")]) from error
    return lines


def _check_header(header: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = (*required, *optional)
    problems = [
        Problem(0, "header", name[:LONGEST_CELL_SHOWN], f"one of {', '.join(known)}")
        for name in header
        if name not in known
    ]
    problems += [Problem(0, "header", "missing", name) for name in required if name not in header]
    problems += [
        Problem(0, "header", name, "each name once") for name in dict.fromkeys(header) if header.count(name) > 1
    ]
    if problems:
        raise Unreadable(problems[:_MAX_HEADER_PROBLEMS])
