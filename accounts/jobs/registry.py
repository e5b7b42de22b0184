"""Which function does which kind of job. `config.handlers` fills it as the process starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Renew(Protocol):
    """Prolong the lease of the running job; raises LeaseLost when another worker has taken it over."""

    def __call__(self) -> None: ...


class JobFunction(Protocol):
    """Does the work of one job. It must be safe to run twice, also at the same time."""

    def __call__(self, key: str, payload: Mapping[str, Any], *, renew: Renew) -> None: ...


@dataclass(frozen=True)
class Handler:
    """A function and how long it may go on without renewing its lease."""

    run: JobFunction
    lease_seconds: int


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: JobFunction, *, lease_seconds: int = 60) -> None:
    """Name the function for a kind of job; naming the same one again changes nothing."""
    assert lease_seconds > 0, lease_seconds
    wanted = Handler(handler, lease_seconds)
    assert _handlers.get(kind, wanted) == wanted, f"two handlers for {kind}"
    _handlers[kind] = wanted


def unregister(kind: str) -> None:
    """Forget a kind, for tests that made one up."""
    del _handlers[kind]


def kinds() -> tuple[str, ...]:
    """Return the kinds this process can do: it leaves others to processes that can."""
    return tuple(sorted(_handlers))


def handler_of(kind: str) -> Handler:
    """Return the handler of a kind that is registered."""
    return _handlers[kind]
