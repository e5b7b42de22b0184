"""Reads CSV files that others made: strict about form, exact about numbers, and precise about what is wrong.

A file is UTF-8 (a byte order mark is fine), its first row names the columns, and every further row has as many
cells. Nothing is guessed and nothing is skipped: whatever is wrong is collected as row problems.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from exchange.imports.errors import CellRefused, FileRefused, RowProblem

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_CELL_CHARACTERS: Final = 1_000
MAX_ROWS: Final = 500_000
WELL_FORMED: Final = "well formed CSV, every quote closed"
MAX_PROBLEMS: Final = 20  # enough to see the pattern; more would bury it

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
# Measuring programs print small numbers with an exponent, so these files may; its size is bounded.
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,25})?(?:e[+-]?[0-9]{1,2})?", re.ASCII)


class Problems:
    """What was found wrong so far; refuses the files when there is enough to show."""

    def __init__(self) -> None:
        self._rows: list[RowProblem] = []

    def add(self, problem: RowProblem) -> None:
        """Note a problem; raises FileRefused when there are enough to show."""
        self._rows.append(problem)
        if len(self._rows) >= MAX_PROBLEMS:
            raise FileRefused(self._rows, more=True)

    def check(self) -> None:
        """Raise FileRefused when anything was wrong."""
        if self._rows:
            raise FileRefused(self._rows)


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its cells by column. The readers raise CellRefused for a cell that they cannot read."""

    file: str
    number: int
    cells: Mapping[str, str]

    def choice(self, column: str, options: Sequence[str]) -> str:
        """Read one of a set of words."""
        value = self.cells[column]
        if value not in options:
            raise self.refused(column, f"one of {', '.join(options)}")
        return value

    def whole(self, column: str, *, minimum: int = 0, maximum: int) -> int:
        """Read a whole number in ASCII digits, within bounds (included)."""
        value = self.cells[column]
        if not _WHOLE.fullmatch(value) or not minimum <= int(value) <= maximum:
            raise self.refused(column, f"a whole number from {minimum} to {maximum}")
        return int(value)

    def decimal(self, column: str, *, minimum: Decimal = Decimal(0), maximum: Decimal) -> Decimal:
        """Read a decimal number exactly, within bounds (included); an exponent of up to two digits is fine."""
        value = self.cells[column]
        if not _DECIMAL.fullmatch(value) or not minimum <= Decimal(value) <= maximum:
            raise self.refused(column, f"a number from {minimum} to {maximum} such as 0.25")
        return Decimal(value)

    def refused(self, column: str, expected: str) -> CellRefused:
        """Return the refusal of a cell, for the caller to raise."""
        return CellRefused(RowProblem(self.file, self.number, column, self.cells[column], expected))


def read(path: Path, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    """Yield the rows of a file that must have these columns (and may have others).

    Raises FileRefused at once when the file as a whole cannot be read: no UTF-8, NUL, no or wrong header, a
    quote never closed. A row of another width is noted in `problems` and left out.
    """
    name = path.name
    # newline="" leaves line breaks as they are; str.splitlines would also break at form feeds and the like.
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    header = _header(name, lines, columns)
    # A quoted cell may hold line breaks, so a row starts after the last line of the one before it.
    while True:
        number = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused(name, number, "", str(error), WELL_FORMED) from None
        if number > MAX_ROWS:
            raise _refused(name, number, "", f"row {number}", f"at most {MAX_ROWS} rows")
        if len(cells) != len(header):
            expected = f"{len(header)} cells as in the header"
            problems.add(RowProblem(name, number, "", f"{len(cells)} cells", expected))
            continue
        row = Row(name, number, dict(zip(header, cells, strict=True)))
        long = next((column for column, cell in row.cells.items() if len(cell) > MAX_CELL_CHARACTERS), None)
        if long is not None:
            problems.add(row.refused(long, f"at most {MAX_CELL_CHARACTERS} characters").problem)
            continue
        yield row


def _text(path: Path) -> str:
    """Return the whole file as text; raises FileRefused."""
    name = path.name
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _refused(name, 1, "", f"{size} bytes", f"at most {MAX_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise _refused(name, 1, "", error.strerror or type(error).__name__, "a file that can be read") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refused(name, 1, "", "a UTF-16 byte order mark", "text in UTF-8")
    if (place := content.find(b"\x00")) >= 0:
        raise _refused(name, content.count(b"\n", 0, place) + 1, "", "a NUL byte", "text without NUL, in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise _refused(name, row, "", f"byte 0x{content[error.start]:02X}", "text in UTF-8") from None


def _header(name: str, lines: Iterator[list[str]], columns: Sequence[str]) -> list[str]:
    try:
        header = next(lines, None)
    except csv.Error as error:
        raise _refused(name, 1, "", str(error), WELL_FORMED) from None
    if not header:
        raise _refused(name, 1, "", "an empty file", f"a header with {', '.join(columns)}")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise _refused(name, 1, twice[0], f"{header.count(twice[0])} columns {twice[0]}", "each column once")
    missing = [column for column in columns if column not in header]
    if missing:
        raise FileRefused(
            [RowProblem(name, 1, column, "no such column", f"a column {column}") for column in missing[:MAX_PROBLEMS]]
        )
    return header


def _refused(name: str, row: int, column: str, value: str, expected: str) -> FileRefused:
    return FileRefused([RowProblem(name, row, column, value, expected)])
