"""What the documentation says of addresses, commands, variables and invariants is what the code has."""

import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands

from accounts.web.permissions import ANY_ACTOR
from config.audit.checks import ALL
from tests.api import routes
from tests.docs import pages
from tests.docs.pages import PAGES, ROOT

READ_BY_US = ("config/settings.py", "config/databases.py", "config/command_line.py", "config/embedded")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in pages.links(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        if anchor:
            assert anchor in pages.anchors(there.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_exists(page: Path) -> None:
    assert pages.commands(page.read_text(encoding="utf-8")) - set(get_commands()) == set()


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in pages.links(page.read_text(encoding="utf-8"))
    }
    assert {page for page in PAGES[1:] if page.resolve() not in linked} == set()


def test_the_invariants_in_the_reference_are_those_that_are_checked() -> None:
    table = [tuple(row) for row in pages.rows(pages.text_of("docs/reference/audit.md"))]
    written = table[table.index(("code", "statement")) + 1 :]
    assert written == [(invariant.code, invariant.statement) for invariant in ALL]


def test_the_resources_in_the_reference_are_those_of_the_address_table() -> None:
    written = {
        (row[0], pages.code(row[1])[0], frozenset(pages.code(row[2])), row[3] == "yes")
        for row in pages.rows(pages.text_of("docs/reference/api.md"))
        if len(row) == 5 and row[0] in {method.upper() for method in routes.METHODS}
    }
    served = set()
    for route in routes.api_routes():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{route.pattern}")
        for method in route.methods:
            needed = route.view.requirement(method)
            assert needed is not None
            capabilities = () if needed == ANY_ACTOR else (needed,) if isinstance(needed, str) else needed
            once = bool(getattr(getattr(route.view, method.lower()), "is_idempotent", False))
            served.add((method, path, frozenset(map(str, capabilities)), once))
    assert written == served


def test_the_variables_in_the_reference_are_those_that_are_read() -> None:
    sources = [
        path for name in READ_BY_US for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).glob("*.py"))
    ]
    read = {
        variable
        for path in sources
        for variable in re.findall(
            r"(?:env\.\w+|_secret|environ\.get)\(\s*\"([A-Z][A-Z_]+)\"", path.read_text(encoding="utf-8")
        )
    }
    table = pages.rows(pages.text_of("docs/operating.md"))
    written = {name for row in table if len(row) == 3 for name in pages.code(row[0]) if name.isupper()}
    assert read - {"PYTHONPATH"} - written == set()
    assert written - read - {"EXCHANGE_OPERATOR_PASSWORD"} == set()


def test_every_declared_package_says_why_it_is_here() -> None:
    project = tomllib.loads(pages.text_of("pyproject.toml"))
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["test"]]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in declared}
    table = pages.rows(pages.text_of("docs/dependencies.md"))
    written = {re.split(r"\[", name)[0] for row in table if len(row) == 2 for name in row[0].split(", ")}
    assert written - {"package"} == names
