"""A real browser on a real server: pages at two widths that fail on any error in the console."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser import chromium

WIDE: Final = 1280
NARROW: Final = 390
_HEIGHT: Final = 900
_PATIENCE: Final = 60_000  # milliseconds: a slow machine is no fault of a page
# Faults of these weights stop a person; the lesser ones are looked at by eye.
_GRAVE: Final = frozenset({"serious", "critical"})


@pytest.fixture(scope="session")
def chromium_program() -> chromium.Browser:
    """Return the browser's program; the test fails with the remedy when there is none."""
    return chromium.provide()


@pytest.fixture(scope="module")
def browser(chromium_program: chromium.Browser) -> Iterator[Browser]:
    """Run one browser for a module's tests.

    The driver keeps an event loop in this thread, which Django takes for asynchronous code: it asks for leave, and
    keeps the connections of such code apart. So none is left open on either side, and the driver ends with the module.
    """
    expect.set_options(timeout=_PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        connections.close_all()
        with sync_playwright() as driver:
            running = driver.chromium.launch(
                executable_path=chromium_program.program,
                timeout=2 * _PATIENCE,
                args=["--no-sandbox"],  # containers and root have no user namespaces
                env={name: str(value) for name, value in chromium_program.environment().items()},
            )
            yield running
            running.close()
            connections.close_all()


PageFactory = Callable[[int], Page]


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[PageFactory]:
    """Open pages of a given width whose addresses are relative to the server of this test.

    Each has a session of its own. At the end of the test any error in a page's console fails it.
    """
    errors: list[str] = []
    contexts = []

    def open_page(width: int) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": _HEIGHT}, locale="en-GB"
        )
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        page.on("console", lambda line: errors.append(f"{page.url}: {line.text}") if _is_fault(line, page) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors


def _is_fault(line: ConsoleMessage, page: Page) -> bool:
    # The browser also logs a page's own answer of 4xx, which a test may well ask for.
    is_own_answer = line.text.startswith("Failed to load resource") and line.location["url"] == page.url
    return line.type == "error" and not is_own_answer


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, new_page: PageFactory) -> Page:
    """Open one page; the test runs at both widths."""
    return new_page(request.param)


@dataclass(frozen=True)
class Fault:
    """One rule of accessibility that a page breaks, and where."""

    rule: str
    weight: str
    help: str
    places: tuple[str, ...]


@pytest.fixture(scope="session")
def accessibility_faults(chromium_program: chromium.Browser) -> Callable[[Page], list[Fault]]:
    """Return a function that lists a page's serious and critical accessibility faults."""
    source = chromium_program.axe.read_text()

    def look(page: Page) -> list[Fault]:
        # Evaluated by the driver: the page's own policy forbids foreign scripts.
        page.evaluate(source)
        results = page.evaluate("() => axe.run()")
        return [
            Fault(one["id"], one["impact"], one["help"], tuple(str(node["target"]) for node in one["nodes"]))
            for one in results["violations"]
            if one["impact"] in _GRAVE
        ]

    return look


@pytest.fixture(scope="session")
def overflows() -> Callable[[Page], bool]:
    """Return a function that tells whether a page is wider than its window."""

    def look(page: Page) -> bool:
        return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))

    return look
