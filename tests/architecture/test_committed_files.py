"""What must not be in the repository: where one machine gets its packages, or where its files lie."""

import json
import re

from tests.architecture.sources import ROOT, committed

_BINARY = {".gif", ".ico", ".jpg", ".pdf", ".png", ".webp", ".woff2"}
# Options and settings that name an index, not the names of any.
_INDEX = re.compile(r"--(extra-)?(index-url|find-links)|registry\s*=\s*[\"']?https?:")
_PLACE_OF_ONE_MACHINE = re.compile(r"(?<![\w./}-])/(home|root|opt|Users|mnt|srv|work|workspace)/[\w.-]+")


def _texts() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for path in committed()
        if path.suffix not in _BINARY
    ]


def test_no_file_says_where_packages_come_from() -> None:
    this = "tests/architecture/test_committed_files.py"
    assert [name for name, text in _texts() if name != this and _INDEX.search(text)] == []


def test_no_file_names_a_place_on_one_machine() -> None:
    assert [(name, found[0]) for name, text in _texts() if (found := _PLACE_OF_ONE_MACHINE.search(text))] == []


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert locks
    for lock in locks:
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
    packages = json.loads((ROOT / "tests/browser/package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in packages.items() if name)


def test_the_top_level_stays_small() -> None:
    expected = {"manage.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore"}
    expected |= {"config", "accounts", "catalog", "billing", "exchange", "templates", "tests"}
    expected |= {"static", "locale", "docs", "benchmarks", ".ci"}
    expected |= {"requirements.lock", "requirements-test.lock", "requirements-installer.lock"}
    assert {path.relative_to(ROOT).parts[0] for path in committed()} <= expected
