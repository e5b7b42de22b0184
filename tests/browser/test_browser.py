"""The browser that all other browser tests stand on."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_server_answers_the_browser(page: Page) -> None:
    answer = page.goto("/healthz")
    assert answer is not None
    assert answer.json() == {"status": "alive"}


def test_inline_scripts_of_a_page_do_not_run(page: Page) -> None:
    answer = page.goto("/healthz")
    assert answer is not None
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]


def test_a_fault_of_accessibility_is_found(
    new_page: Callable[[int], Page], accessibility_faults: Callable[[Page], list[Any]]
) -> None:
    page = new_page(1280)
    page.set_content("<html lang='en'><title>t</title><main><img src='data:,'></main></html>")
    assert "image-alt" in {fault.rule for fault in accessibility_faults(page)}


def test_a_page_that_is_too_wide_is_noticed(new_page: Callable[[int], Page], overflows: Callable[[Page], bool]) -> None:
    page = new_page(390)
    page.set_content("<div style='width: 500px'>wide</div>")
    assert overflows(page)
    page.set_content("<div>narrow</div>")
    assert not overflows(page)
