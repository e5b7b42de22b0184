"""Hostile files are refused at the place where they are wrong."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.imports import tables
from exchange.imports.errors import CellRefused, FileRefused
from exchange.imports.tables import Problems, Row

COLUMNS = ("name", "count", "price")


def read(path: Path, content: bytes | str) -> list[Row]:
    """Write a file, read it whole, and raise what is wrong with it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    problems = Problems()
    rows = list(tables.read(path, COLUMNS, problems))
    problems.check()
    return rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file lies."""
    return tmp_path / "asks.csv"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_good_file_is_read_whatever_its_byte_order_mark_and_line_ends(
    path: Path, start: bytes, line_end: bytes
) -> None:
    content = start + line_end.join([b"count,name,more,price", b'3,"a, ""b""",x,0.5', ""[0:0].encode()])
    rows = read(path, content)
    assert [(row.number, row.cells["name"], row.whole("count", maximum=9)) for row in rows] == [(2, 'a, "b"', 3)]


@pytest.mark.parametrize(
    ("content", "row", "column", "seen", "expected"),
    [
        (b"", 1, "", "empty", "a header"),
        (b"\n", 1, "", "empty", "a header"),
        ("name,count\n", 1, "price", "no such column", "a column price"),
        ("name,count,price,count\n", 1, "count", "2 columns count", "each column once"),
        ("name,count,price\na,1,2\n".encode("utf-16"), 1, "", "UTF-16", "UTF-8"),
        ("name,count,price\na,1,2\n".encode("utf-16-le"), 1, "", "NUL", "UTF-8"),
        ("name,count,price\na,1,2\nmünchen,1,2\n".encode("latin-1"), 3, "", "0xFC", "UTF-8"),
        (b"name,count,price\na,1,2\nb\x00,1,2\n", 3, "", "NUL", "without NUL"),
        ('name,count,price\na,1,2\n"b,1,2\nc,1,2\n', 3, "", "unexpected end", "every quote closed"),
        ('name,count,price\n"a"b,1,2\n', 2, "", "','", "every quote closed"),
        ("name,count,price\na,1\n", 2, "", "2 cells", "3 cells"),
        ("name,count,price\na,1,5,2\n", 2, "", "4 cells", "3 cells"),
        ("name,count,price\na,1,2\n\nb,1,2\n", 3, "", "0 cells", "3 cells"),
        ("name,count,price\n" + "x" * 1001 + ",1,2\n", 2, "name", "xxx", "at most 1000 characters"),
        ("name,count,price\n" + "x" * 200_000 + ",1,2\n", 2, "", "field limit", "well formed"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    path: Path, content: bytes | str, row: int, column: str, seen: str, expected: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        read(path, content)
    (problem,) = refused.value.rows
    assert (problem.file, problem.row, problem.column) == ("asks.csv", row, column)
    assert seen in problem.value
    assert expected in problem.expected
    assert "nothing was imported" in refused.value.detail


def test_a_quoted_line_break_does_not_shift_the_rows_after_it(path: Path) -> None:
    rows = read(path, 'name,count,price\n"a\nb",1,2\nc,1,2\n')
    assert [row.number for row in rows] == [2, 4]


def test_a_missing_file_and_a_folder_are_refused(path: Path) -> None:
    for place in (path, path.parent):
        with pytest.raises(FileRefused, match="a file that can be read"):
            list(tables.read(place, COLUMNS, Problems()))


def test_a_huge_file_is_refused_unread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_FILE_BYTES", 10)
    with pytest.raises(FileRefused, match="at most 10 bytes"):
        read(path, "name,count,price\n")


def test_too_many_rows_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    with pytest.raises(FileRefused, match="at most 3 rows"):
        read(path, "name,count,price\n" + "a,1,2\n" * 5)


def test_wrong_places_are_collected_up_to_a_readable_number(path: Path) -> None:
    with pytest.raises(FileRefused) as few:
        read(path, "name,count,price\n" + "a,1\n" * 3)
    assert [problem.row for problem in few.value.rows] == [2, 3, 4]
    with pytest.raises(FileRefused) as many:
        read(path, "name,count,price\n" + "a,1\n" * 100)
    assert len(many.value.rows) == tables.MAX_PROBLEMS
    assert "or more" in many.value.detail


def cell(text: str) -> Row:
    """A row with one cell."""
    return Row("asks.csv", 7, {"price": text})


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "1,5",
        "1_000",
        "NaN",
        "nan",
        "inf",
        "Infinity",
        "1e-400",
        "1e400",
        "1e999999999",
        "-1",
        "０",
        "1.",
        ".5",
        "0x1",
        "1e5",
    ],
)
def test_a_number_that_is_none_or_out_of_bounds_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(CellRefused) as refused:
        cell(text).decimal("price", maximum=Decimal(1000))
    problem = refused.value.problem
    assert (problem.file, problem.row, problem.column, problem.value) == ("asks.csv", 7, "price", text)
    with pytest.raises(CellRefused):
        cell(text).whole("price", maximum=1000)


def test_numbers_are_read_exactly() -> None:
    assert cell("3.90625e-06").decimal("price", maximum=Decimal(1)) == Decimal("0.00000390625")
    assert cell("0.09333333333333334").decimal("price", maximum=Decimal(1)) == Decimal("0.09333333333333334")
    assert cell("7").whole("price", maximum=7) == 7


@given(st.binary(max_size=300))
def test_no_bytes_at_all_bring_the_reader_down(tmp_path: Path, content: bytes) -> None:
    try:
        rows = read(tmp_path / "asks.csv", b"name,count,price\n" + content)
    except FileRefused:
        return
    assert all(len(row.cells) == 3 for row in rows)


@given(st.text(max_size=40))
def test_a_cell_is_read_or_refused_and_never_breaks(text: str) -> None:
    with suppress(CellRefused):
        assert 0 <= cell(text).decimal("price", maximum=Decimal(10)) <= 10
    with suppress(CellRefused):
        assert 0 <= cell(text).whole("price", maximum=10) <= 10
