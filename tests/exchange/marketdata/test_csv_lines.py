"""CSV that a spreadsheet shows and never runs."""

import csv
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from exchange.marketdata import csv_lines


def test_text_that_could_be_run_begins_with_an_apostrophe_and_numbers_do_not() -> None:
    for text in ("=1+1", "+1-1", "-cmd", "@SUM(A1)", "\tx", "\rx", "%0a", "|calc"):
        assert csv_lines.cell(text) == f"'{text}"
    for value, shown in ((-3, "-3"), ("-1.500000", "-1.500000"), (None, ""), (True, "true"), ("a=b", "a=b")):
        assert csv_lines.cell(value) == shown


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1, max_size=4))
def test_what_is_written_is_read_back(values: list[str]) -> None:
    columns = [f"c{index}" for index in range(len(values))]
    row = dict(zip(columns, values, strict=True))
    text = b"".join(csv_lines.lines(columns, [row, row])).decode()
    read = list(csv.reader(StringIO(text, newline="")))
    assert read == [columns, [csv_lines.cell(value) for value in values], [csv_lines.cell(value) for value in values]]
