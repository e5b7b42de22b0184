"""Typed readers of environment variables that fail loudly at start.

Each reader names the variable, the value seen and what was expected, so that a wrong
setting stops the process with a sentence instead of surfacing later as odd behaviour.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def _wrong(name: str, seen: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {seen!r}; expected {expected}.")


def text(name: str, *, default: str = "") -> str:
    """Return the variable without surrounding space, or the default when unset or empty."""
    return os.environ.get(name, "").strip() or default


def required(name: str) -> str:
    """Return the variable; raises ImproperlyConfigured when it is unset or empty."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set and has no default here.")
    return value


def boolean(name: str, *, default: bool) -> bool:
    """Return the variable read as a yes or a no."""
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise _wrong(name, value, "one of 1, true, yes, on, 0, false, no, off")


def integer(name: str, *, default: int, minimum: int, maximum: int) -> int:
    """Return the variable as a whole number within bounds, both included."""
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and minimum <= int(value) <= maximum):
        raise _wrong(name, value, f"a whole number from {minimum} to {maximum}")
    return int(value)


def choice(name: str, *, default: str, options: Iterable[str]) -> str:
    """Return the variable when it is one of the options."""
    value = text(name, default=default)
    known = sorted(options)
    if value not in known:
        raise _wrong(name, value, f"one of {', '.join(known)}")
    return value


def address(name: str, *, is_needed: bool) -> str:
    """Return the variable as an address that begins with https://, or with http:// on this machine; empty when unset.

    Raises ImproperlyConfigured when it is another one, or missing and needed.
    """
    value = text(name)
    if not value and not is_needed:
        return ""
    parts = urlsplit(value)
    is_here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not parts.hostname or not (is_here or parts.scheme == "https") or parts.query or parts.fragment:
        raise _wrong(name, value, "an address such as https://fapiao.example/v1, without a query")
    return value


def words(name: str, *, default: tuple[str, ...]) -> list[str]:
    """Return the variable split at commas."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a PostgreSQL database is and who connects to it."""

    host: str
    port: str
    name: str
    user: str
    password: str
    options: dict[str, str]


def database_address(name: str, url: str) -> DatabaseAddress:
    """Parse `postgres://user:password@host:port/name?sslmode=...`; `name` is the variable it came from."""
    parts = urlsplit(url)
    expected = "postgres://user:password@host:port/database"
    if parts.scheme not in {"postgres", "postgresql"}:
        raise _wrong(name, parts.scheme + "://...", expected)
    try:
        port = parts.port
    except ValueError as error:
        raise _wrong(name, parts.netloc.rpartition("@")[2], expected) from error
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise _wrong(name, parts.scheme + "://.../", expected)
    return DatabaseAddress(
        host=unquote(parts.hostname or ""),
        port=str(port) if port else "",
        name=database,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        options=dict(parse_qsl(parts.query)),
    )
