"""How the simulated Stripe says no, and how it checks what it was sent."""

from collections.abc import Iterable, Mapping
from typing import Any


class Refused(Exception):
    """An error answer."""

    def __init__(
        self, status: int, kind: str, message: str, *, code: str = "", param: str = "", more: Mapping[str, Any] = {}
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.code, self.param, self.more = (
            status, kind, message, code, param, dict(more),
        )  # fmt: skip


def refusal(error: Refused) -> dict[str, Any]:
    """Return the body of an error answer."""
    said = {"type": error.kind, "message": error.message, **error.more}
    if error.code:
        said["code"] = error.code
    if error.param:
        said["param"] = error.param
    return {"error": said}


def invalid(message: str, *, param: str = "", code: str = "parameter_invalid") -> Refused:
    """Return the refusal of a parameter."""
    return Refused(400, "invalid_request_error", message, code=code, param=param)


def check(sent: Mapping[str, Any], required: Iterable[str], optional: Iterable[str] = ()) -> None:
    """Refuse parameters that are missing or unknown; names are paths such as `line_items.0.quantity`."""
    given = set(_paths(sent))
    known = {*required, *optional}
    for path in sorted(given):
        if path not in known and not any(path.startswith(f"{free[:-1]}") for free in known if free.endswith(".*")):
            raise invalid(f"Received unknown parameter: {path}", param=path, code="parameter_unknown")
    for path in sorted(required):
        if path not in given and not path.endswith(".*"):
            raise invalid(f"Missing required param: {path}.", param=path, code="parameter_missing")


def whole(text: Any, param: str) -> int:
    """Return a positive amount."""
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and 0 < int(text) <= 99_999_999_999):
        raise invalid(f"Invalid integer: {text}", param=param, code="parameter_invalid_integer")
    return int(text)


def _paths(sent: Mapping[str, Any], before: str = "") -> Iterable[str]:
    for name, value in sent.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"
