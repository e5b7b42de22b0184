"""Where the request came from that is being served, for the audit trail alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[Mapping[str, str] | None] = ContextVar("audit_origin", default=None)


def current() -> Mapping[str, str] | None:
    """Return the network address and request id, or None outside a request."""
    return _current.get()


@contextmanager
def of_request(*, address: str, request_id: str) -> Iterator[None]:
    """Let audit records written inside the block say where they came from."""
    token = _current.set({"address": address, "request_id": request_id})
    try:
        yield
    finally:
        _current.reset(token)
