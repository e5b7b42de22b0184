"""What the strict readers take, said in JSON Schema: for the description of the API.

A schema may promise less than a reader checks (a day of a month, say), never more than it takes.
"""

from decimal import Decimal
from typing import Any, Final

from accounts.foundation import ids

_YEARS: Final = "^20[2-9][0-9]-"
_CONTROLS: Final = r"\u0000-\u001f\u007f-\u009f"


def whole_number(minimum: int, maximum: int) -> dict[str, Any]:
    """Return the schema of `strict.integer`."""
    return {"type": "integer", "format": "int64", "minimum": minimum, "maximum": maximum}


def decimal(max_digits: int, decimal_places: int, *, minimum: Decimal | None) -> dict[str, Any]:
    """Return the schema of `strict.decimal`."""
    sign = "-?" if minimum is None or minimum < 0 else ""
    whole = f"(0|[1-9][0-9]{{0,{max_digits - decimal_places - 1}}})"
    fraction = rf"(\.[0-9]{{1,{decimal_places}}})?" if decimal_places else ""
    return {"type": "string", "pattern": f"^{sign}{whole}{fraction}$", "examples": ["12.50"]}


def text(min_length: int, max_length: int, *, multiline: bool = False) -> dict[str, Any]:
    """Return the schema of `strict.text`."""
    schema: dict[str, Any] = {"type": "string", "minLength": min_length, "maxLength": max_length}
    return schema if multiline else schema | {"pattern": f"^[^{_CONTROLS}]*$"}


def instant() -> dict[str, Any]:
    """Return the schema of `strict.instant`."""
    return {"type": "string", "format": "date-time", "pattern": _YEARS, "examples": ["2026-05-01T08:00:00+08:00"]}


def typed_id(prefix: str) -> dict[str, Any]:
    """Return the schema of an id in its outside spelling."""
    return {"type": "string", "pattern": f"^{prefix}_{ids.SPELLING}$"}
