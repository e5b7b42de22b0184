"""Rows as lines of CSV that a spreadsheet shows and never runs."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield the header and one line for each row, as UTF-8."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")  # RFC 4180

    def line(values: Iterable[object]) -> bytes:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(values)
        return buffer.getvalue().encode()

    yield line(columns)
    for row in rows:
        yield line(cell(row[column]) for column in columns)


def cell(value: object) -> str:
    """Return a value as the cell of a table; text that a spreadsheet could run begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
