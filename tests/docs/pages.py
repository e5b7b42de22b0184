"""The pages of the documentation, and what can be read off them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND: Final = re.compile(r"manage\.py ([a-z_]+)")


def text_of(page: str) -> str:
    """Return a page by its path from the root."""
    return (ROOT / page).read_text(encoding="utf-8")


def links(text: str) -> list[str]:
    """Return the targets of links and pictures that stay inside the project."""
    return [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """Return what a heading may be linked to as."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


def commands(text: str) -> set[str]:
    """Return the names of the management commands that a text mentions."""
    return set(_COMMAND.findall(text))


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every row of every table, without the lines under the heads."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def code(cell: str) -> list[str]:
    """Return what stands in a cell as code."""
    return re.findall(r"`([^`]+)`", cell)
