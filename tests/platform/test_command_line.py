"""Which database a command works on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import command_line, embedded
from tests.exchange.clearing.cast import story

pytestmark = pytest.mark.long

_ROOT = Path(__file__).resolve().parents[2]


def _manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False,
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "rest", "data"),
    [
        (["m", "audit"], ["m", "audit"], None),
        (["m", "audit", "--data", "/d"], ["m", "audit"], "/d"),
        (["m", "audit", "--data=/d", "-v", "2"], ["m", "audit", "-v", "2"], "/d"),
        (["m", "audit", "--", "--data", "/d"], ["m", "audit", "--", "--data", "/d"], None),
    ],
)
def test_the_data_directory_is_understood_for_every_command(
    arguments: list[str], rest: list[str], data: str | None
) -> None:
    assert command_line._without_data(arguments) == (rest, Path(data) if data else None)


def test_a_data_option_without_a_directory_is_refused() -> None:
    with pytest.raises(embedded.EmbeddedError, match="--data needs a directory"):
        command_line._without_data(["m", "audit", "--data"])


def test_a_terminal_that_lacks_a_letter_shows_its_code(tmp_path: Path) -> None:
    book = tmp_path / "书.json"
    book.write_bytes(story().canonical_bytes())
    done = _manage(
        dict(os.environ, PYTHONIOENCODING="ascii"), "clear_book", str(book), "--out", str(tmp_path / "outcome.json")
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u4e66.json: welfare 1872000000" in done.stdout


def test_a_named_directory_wins_over_a_configured_database_except_for_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://a@b/c")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://d")
    configured = {"DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://d"}
    assert command_line._configured("audit", None) == configured
    assert command_line._configured("audit", Path("/d")) == {}
    assert command_line._configured("up", Path("/d")) == configured


def test_what_a_command_simulates_has_a_database_of_its_own() -> None:
    assert command_line._own_directory(["manage.py", "simulate"]) == "simulation"
    assert command_line._own_directory(["manage.py", "export_focus", "--out", "f", "--demo"]) == "demo-month"
    assert command_line._own_directory(["manage.py", "export_journal", "--demo"]) == "demo-month"
    assert command_line._own_directory(["manage.py", "export_journal"]) is None
    assert command_line._own_directory(["manage.py", "audit", "--demo"]) is None


def test_a_command_that_needs_no_database_starts_none(data: Path, bare_environment: dict[str, str]) -> None:
    finished = _manage(bare_environment, "makemigrations", "--check", "--dry-run", "--data", str(data))
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    assert not data.exists()


def test_a_command_that_needs_a_database_has_one_for_its_time(data: Path, bare_environment: dict[str, str]) -> None:
    query = (
        "from django.db import connection as c; k = c.cursor();"
        " k.execute('select current_user, count(*) from django_migrations'); print(k.fetchone())"
    )
    finished = _manage(bare_environment, "shell", "-v", "0", "-c", query, "--data", str(data))
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("('exchange_app', ")
    assert not (data / "services.json").exists()


def test_data_that_cannot_be_kept_where_asked_are_refused_in_one_sentence(
    tmp_path: Path, bare_environment: dict[str, str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    finished = _manage(bare_environment, "up", "--data", str(file / "data"))
    assert finished.returncode == 1
    assert finished.stderr == f"{file}/data cannot hold the data: Not a directory. Give another directory.\n"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://a@b/c", "DATABASE_URL is 'mysql://...'; expected postgres://user:password@host:port/database."),
        ("postgres://a@127.0.0.1:1/c", "The database that DATABASE_URL names cannot be used: connection failed"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_a_traceback(
    bare_environment: dict[str, str], url: str, sentence: str
) -> None:
    given = bare_environment | {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0"}
    finished = _manage(given, "prepare")
    assert finished.returncode == 1
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
