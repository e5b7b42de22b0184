"""The one writer of tables: what a spreadsheet reads back, safely, and in memory that does not grow."""

import csv
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.exports import tables
from billing.exports.tables import Column, Format

PLAIN: tuple[Column[Any], ...] = (Column("name", lambda row: row[0]), Column("amount", lambda row: row[1]))


def csv_rows(rows: list[tuple[Any, Any]]) -> list[list[str]]:
    written = b"".join(tables.csv_pieces(PLAIN, rows)).decode()
    return list(csv.reader(io.StringIO(written, newline="")))


def sheets(pieces: Iterator[bytes]) -> list[list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(pieces)))
    return [list(sheet.iter_rows(values_only=True)) for sheet in book]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe_in_both_formats(start: str) -> None:
    hostile = f"{start}HYPERLINK(1)"

    assert csv_rows([(hostile, 1)])[1][0] == f"'{hostile}"
    ((_, (text, _)),) = sheets(tables.xlsx_pieces("t", PLAIN, [(hostile, 1)]))
    assert text == f"'{hostile}"


@given(st.text(max_size=40))
def test_every_text_comes_back_and_none_begins_like_a_formula(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    (_, (read, _)) = csv_rows([(text, 1)])

    assert not read.startswith(tables.FORMULA_STARTS)
    assert read in (text, f"'{text}")


@given(st.text(max_size=40))
def test_every_text_that_xml_can_carry_comes_back_from_a_workbook(text: str) -> None:
    text = "甲　乙 \u200f👩\u200d💻" + text.encode("utf-8", "replace").decode()
    ((_, (read, _)),) = sheets(tables.xlsx_pieces("t", PLAIN, [(text, 1)]))

    carried = (letter if letter in "\t\n\r" or letter >= " " else "\ufffd" for letter in text)
    assert read == "".join(carried).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def test_numbers_stay_numbers_also_below_zero() -> None:
    assert csv_rows([("credit", Decimal("-4.00"))])[1] == ["credit", "-4.00"]
    ((_, row),) = sheets(tables.xlsx_pieces("t", PLAIN, [("credit", Decimal("-4.25"))]))
    assert row == ("credit", -4.25)


def test_a_number_that_a_spreadsheet_would_round_is_written_as_text() -> None:
    ((_, row),) = sheets(tables.xlsx_pieces("t", PLAIN, [("large", 1234567890123456789)]))

    assert row == ("large", "1234567890123456789")


def test_instants_are_in_utc_and_days_are_days() -> None:
    instant = datetime(2026, 5, 10, 16, tzinfo=UTC)

    assert csv_rows([(instant, date(2026, 5, 11))])[1] == ["2026-05-10T16:00:00Z", "2026-05-11"]
    ((_, row),) = sheets(tables.xlsx_pieces("t", PLAIN, [(instant, date(2026, 5, 11))]))
    assert row == (datetime(2026, 5, 10, 16), datetime(2026, 5, 11))  # noqa: DTZ001


def test_nothing_is_an_empty_cell() -> None:
    assert csv_rows([(None, 1)])[1] == ["", "1"]
    ((_, row),) = sheets(tables.xlsx_pieces("t", PLAIN, [(None, 1)]))
    assert row == (None, 1)


def test_a_table_without_rows_is_its_head() -> None:
    assert csv_rows([]) == [["name", "amount"]]
    assert sheets(tables.xlsx_pieces("t", PLAIN, [])) == [[("name", "amount")]]


def test_what_one_sheet_cannot_hold_goes_on_the_next_and_nothing_is_lost() -> None:
    rows = [(f"row {n}", n) for n in range(1000)]

    found = sheets(tables.xlsx_pieces("t", PLAIN, rows, sheet_rows=600))

    assert [len(sheet) for sheet in found] == [513, 489]
    assert [row for sheet in found for row in sheet[1:]] == rows


def test_the_same_table_is_the_same_file() -> None:
    written = [b"".join(tables.pieces(Format.XLSX, "t", PLAIN, [("a", 1)])) for _ in range(2)]

    assert written[0] == written[1]
    assert zipfile.ZipFile(io.BytesIO(written[0])).testzip() is None


@pytest.mark.parametrize("file_format", list(Format))
def test_memory_does_not_grow_with_the_rows(file_format: Format) -> None:
    def peak(count: int) -> int:
        rows = ((f"a name of some length {n}", n) for n in range(count))
        tracemalloc.start()
        for _ in tables.pieces(file_format, "t", PLAIN, rows):
            pass
        (_, most) = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # what is made once
    assert peak(30_000) < peak(6_000) + 200_000
