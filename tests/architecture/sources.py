"""The project's own source files, as the architecture tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
# From the lowest to the highest: an app knows only those before it.
LINE: Final = ("accounts", "catalog", "billing", "exchange", "config")


@dataclass(frozen=True)
class Source:
    """One Python file of an app."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Return the path below the project."""
        return str(self.path.relative_to(ROOT))

    @property
    def app(self) -> str:
        """Return the app that the file belongs to."""
        return self.path.relative_to(ROOT).parts[0]

    @property
    def is_migration(self) -> bool:
        """Tell whether the file is a migration, which history wrote."""
        return "migrations" in self.path.parts

    def tree(self) -> ast.Module:
        """Return the parsed file."""
        return ast.parse(self.text)


@cache
def of_apps() -> tuple[Source, ...]:
    """Return every Python file of the apps except migrations."""
    return tuple(source for source in _below(*LINE) if not source.is_migration)


@cache
def of_tests() -> tuple[Source, ...]:
    """Return every Python file of the tests."""
    return tuple(_below("tests"))


def _below(*directories: str) -> Iterator[Source]:
    for directory in directories:
        for path in sorted((ROOT / directory).rglob("*.py")):
            yield Source(path, path.read_text(encoding="utf-8"))


def committed() -> list[Path]:
    """Return every file that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for path in (ROOT / line for line in listing.splitlines()) if path.is_file()]
