"""``manage.py clear_book``: files in, files out, in one process and without a database."""

import json
import os
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from benchmarks.books import tiny
from exchange.clearing import engine, verify
from tests.exchange.clearing.cast import story


def clear(*arguments: str) -> tuple[str, str]:
    """Run the command and return what it printed."""
    out, err = StringIO(), StringIO()
    call_command("clear_book", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_book_becomes_the_outcome_that_the_engine_gives(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_bytes(story().canonical_bytes())

    out, _ = clear(str(tmp_path / "book.json"), "--out", str(tmp_path / "new" / "outcome.json"))

    written = (tmp_path / "new" / "outcome.json").read_bytes()
    assert written == engine.clear(story()).outcome.canonical_bytes()
    assert verify.verify(story(), json.loads(written)).violations == ()
    assert "welfare 1872000000, bound 1872000000, strict" in out
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["outcome.json"]


def test_what_is_no_file_is_written_into_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_bytes(story().canonical_bytes())
    os.mkfifo(tmp_path / "pipe")

    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        clear(str(tmp_path / "book.json"), "--out", str(tmp_path / "pipe"))
        written, _ = reader.communicate()

    assert written == engine.clear(story()).outcome.canonical_bytes()
    assert (tmp_path / "pipe").is_fifo()


def test_certificate_and_record_are_written_on_request(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_bytes(story().canonical_bytes())

    clear(
        str(tmp_path / "book.json"),
        "--out",
        str(tmp_path / "outcome.json"),
        "--certificate",
        str(tmp_path / "certificate.json"),
        "--record",
        str(tmp_path / "record.json"),
    )

    assert json.loads((tmp_path / "certificate.json").read_bytes())["bound"] == 1_872_000_000
    assert json.loads((tmp_path / "record.json").read_bytes())["strict"] is True


def test_a_folder_is_cleared_under_the_same_names_and_a_bad_book_stops_nobody(tmp_path: Path) -> None:
    source, target = tmp_path / "books", tmp_path / "outcomes"
    source.mkdir()
    for seed in range(3):
        (source / f"book{seed}.json").write_bytes(tiny.book("mixed", seed).canonical_bytes())
    (source / "book1.json").write_text('{"cells": [], "offers": [{"id": 1}], "orders": []}')
    (source / "notes.txt").write_text("not a book")
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match="1 of 3 books refused"):
        call_command("clear_book", str(source), "--out", str(target), stdout=out, stderr=err)

    assert sorted(path.name for path in target.iterdir()) == ["book0.json", "book2.json"]
    assert "book1.json: /offers/0/" in err.getvalue()
    for seed in (0, 2):
        document = json.loads((target / f"book{seed}.json").read_bytes())
        assert verify.verify(tiny.book("mixed", seed), document).violations == ()


def test_a_refused_book_leaves_an_earlier_outcome_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_text('{"cells": [], "offers": [], "orders": [], "grid": 1.0}')
    (tmp_path / "outcome.json").write_text("earlier")

    with pytest.raises(CommandError):
        call_command(
            "clear_book",
            str(tmp_path / "book.json"),
            "--out",
            str(tmp_path / "outcome.json"),
            stdout=StringIO(),
            stderr=StringIO(),
        )

    assert (tmp_path / "outcome.json").read_text() == "earlier"


def test_a_missing_file_an_empty_folder_and_an_outcome_over_its_book_are_refused(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_bytes(story().canonical_bytes())
    (tmp_path / "empty").mkdir()

    for source, target in [("none.json", "out.json"), ("empty", "out"), ("book.json", "book.json")]:
        with pytest.raises(CommandError):
            call_command(
                "clear_book",
                str(tmp_path / source),
                "--out",
                str(tmp_path / target),
                stdout=StringIO(),
                stderr=StringIO(),
            )
    assert (tmp_path / "book.json").read_bytes() == story().canonical_bytes()
