"""One writer for every table that leaves as a file: CSV or XLSX, streamed, and safe to open in a spreadsheet.

A text that a spreadsheet would take for a formula gets an apostrophe in front, in either format; numbers stay
numbers. Both writers yield the file in pieces and keep none of it: memory does not grow with the number of rows.
"""

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, cast
from xml.sax.saxutils import escape

from billing.exports.workbook import PARTS, Sheet, workbook_parts

Row = TypeVar("Row")
Value = str | int | Decimal | datetime | date | bool | None

# Also the full-width forms, which spreadsheets of East Asia take for the same.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PIECE_BYTES: Final = 64 * 1024
MAX_SHEET_ROWS: Final = 1_048_576  # of XLSX, the head among them; what is more goes on the next sheet
MAX_SHEET_BYTES: Final = 2**30  # unpacked; beyond twice that an archive needs a format that not every reader knows
ROWS_AT_A_TIME: Final = 256
MAX_CELL_CHARACTERS: Final = 32_767
MAX_EXACT_DIGITS: Final = 15  # of a spreadsheet's numbers; longer ones are written as text
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - day 0 of a spreadsheet, which knows no zones
_DAY_SECONDS: Final = 86_400


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    XLSX = "xlsx"


CONTENT_TYPES: Final = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its head, and what a row has in it.

    A datetime is written in UTC; a Decimal and an int are numbers; None is an empty cell.
    """

    name: str
    value: Callable[[Row], Value]


def pieces(file_format: Format, title: str, columns: Sequence[Column[Any]], rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield a table as a file of the format; `title` names the sheet."""
    return csv_pieces(columns, rows) if file_format is Format.CSV else xlsx_pieces(title, columns, rows)


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


# --- CSV ---------------------------------------------------------------------------------------


def csv_pieces(columns: Sequence[Column[Any]], rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield the table as CSV (RFC 4180, UTF-8): a head, then a line for each row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([safe_text(column.name) for column in columns])
    for row in rows:
        writer.writerow([_csv_text(column.value(row)) for column in columns])
        if buffer.tell() >= PIECE_BYTES:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _csv_text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return safe_text(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return spelled_instant(value)
        case date():
            return value.isoformat()
        case int():
            return str(value)


def spelled_instant(instant: datetime) -> str:
    """Spell an instant as `2026-05-10T16:00:00Z`; microseconds only where there are any."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


# --- XLSX --------------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """What the zip writer writes into and the caller takes away; it cannot seek, so nothing is kept."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        self._waiting.append(bytes(chunk))
        return len(self._waiting[-1])

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        taken, self._waiting = b"".join(self._waiting), []
        return taken


def xlsx_pieces(
    title: str, columns: Sequence[Column[Any]], rows: Iterable[Any], *, sheet_rows: int = MAX_SHEET_ROWS
) -> Iterator[bytes]:
    """Yield the table as an Excel workbook; rows beyond what a sheet holds go on further sheets."""
    pipe = _Pipe()
    sheets: list[Sheet] = []
    batches = _row_batches(columns, rows)
    batch = next(batches, None)
    with zipfile.ZipFile(cast("Any", pipe), "w") as archive:
        while not sheets or batch is not None:
            sheet = Sheet(len(sheets) + 1, title)
            sheets.append(sheet)
            with archive.open(_entry(sheet.path), "w") as out:
                head = "".join(_text_cell(safe_text(column.name), "1") for column in columns)
                out.write(f"{sheet.opening(len(columns))}<row>{head}</row>".encode())
                left, size = sheet_rows - 1, 0
                while batch is not None and left >= ROWS_AT_A_TIME and size < MAX_SHEET_BYTES:
                    size += out.write(batch)
                    left -= ROWS_AT_A_TIME
                    yield pipe.taken()
                    batch = next(batches, None)
                out.write(sheet.closing.encode())
            yield pipe.taken()
        for path, text in (*PARTS.items(), *workbook_parts(sheets).items()):
            archive.writestr(_entry(path), text)
    yield pipe.taken()


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path)  # of 1980: the same table gives the same file
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _row_batches(columns: Sequence[Column[Any]], rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield the rows as XML, so many at a time: few calls, and still a small piece."""
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, ROWS_AT_A_TIME)):
        yield "".join(f"<row>{''.join(_cell(column.value(row)) for column in columns)}</row>" for row in batch).encode()


def _cell(value: Value) -> str:
    match value:
        case None:
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case str():
            return _text_cell(safe_text(value))
        case datetime():
            since = value.astimezone(UTC).replace(tzinfo=None) - _EPOCH
            days = Decimal(since.days) + Decimal(since.seconds) / _DAY_SECONDS
            return f'<c s="2"><v>{days:.9f}</v></c>'
        case date():
            return f'<c s="3"><v>{(datetime(value.year, value.month, value.day) - _EPOCH).days}</v></c>'  # noqa: DTZ001
        case int() | Decimal():
            return _number_cell(f"{value:f}" if isinstance(value, Decimal) else str(value))


def _number_cell(text: str) -> str:
    digits = text.strip("-").replace(".", "").lstrip("0")
    return f"<c><v>{text}</v></c>" if len(digits) <= MAX_EXACT_DIGITS else _text_cell(text)


def _text_cell(text: str, style: str = "") -> str:
    carried = _NOT_IN_XML.sub("\ufffd", text[:MAX_CELL_CHARACTERS])
    styled = f' s="{style}"' if style else ""
    shown = escape(carried, {"\r": "&#13;"})  # a bare one would be read back as a line feed
    return f'<c t="inlineStr"{styled}><is><t xml:space="preserve">{shown}</t></is></c>'
