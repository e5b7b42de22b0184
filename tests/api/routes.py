"""Every address the exchange answers at, found by walking the resolver."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.foundation import ids
from accounts.web.views import ExchangeAPIView

METHODS = ("get", "post", "put", "patch", "delete")
_VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")
# Variables that are neither a typed id nor a code: something that fits and is not there.
_SAMPLES = {"code": "no-such-code", "slug": "no-such-slug", "str": "no-such-text", "int": "1"}


@dataclass(frozen=True)
class Route:
    """One address: its pattern, its view, and an instance of it whose ids name nothing."""

    pattern: str
    name: str
    callback: Any
    path: str

    @property
    def view(self) -> type[ExchangeAPIView]:
        """The class of an API view."""
        return self.callback.cls  # type: ignore[no-any-return]

    @property
    def methods(self) -> list[str]:
        """The methods that an API view implements, in capitals."""
        return [method.upper() for method in METHODS if hasattr(self.view, method)]


def api_routes() -> list[Route]:
    """Return the addresses under /v1/, without the description itself."""
    return [route for route in all_routes() if route.pattern.startswith("v1/") and route.name != "openapi"]


def page_routes() -> list[Route]:
    """Return the addresses of pages."""
    return [route for route in all_routes() if not route.pattern.startswith("v1/")]


def all_routes() -> list[Route]:
    """Return every address of the root URL table."""
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[Any], before: str) -> Iterator[Route]:
    for entry in patterns:
        here = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, here)
        else:
            assert isinstance(entry, URLPattern)
            yield Route(here, entry.name or "", entry.callback, "/" + _VARIABLE.sub(_sample, here))


def _sample(match: re.Match[str]) -> str:
    converter = match.group(1) or "str"
    return ids.spell(converter, ids.new_id()) if converter in ids.PREFIXES else _SAMPLES[converter]
