"""What a parameter of the API means, said once for each kind of parameter: most filters are alike."""

import re
from collections.abc import Mapping
from typing import Any, Final

from accounts.foundation import ids

_PREFIX: Final = re.compile(r"\^([a-z]{3})_")
_IN_PATHS: Final = {"code": "The code of the market.", "month": "The month, such as 2026-11."}
_IN_QUERIES: Final = {
    "cursor": "`next_cursor` of the page before; without it the first page.",
    "limit": "So many rows at most.",
    "status": "Only what is in this state.",
    "currency": "In this currency (ISO 4217).",
    "format": "`csv` for a file instead of JSON.",
    "language": "Of the document: `en` or `zh`.",
    "market": "Only of the market with this code.",
    "period": "The billing month, such as 2026-11.",
    "from": "From this instant on.",
    "before": "Before this instant.",
    "after": "At this instant or later.",
    "until": "As of this instant.",
    "max_latency_ms": "At most so many milliseconds of round trip to `metro`.",
    "metro": "The city that `max_latency_ms` is measured to.",
    "from_instant": "Only what holds from this instant on or later.",
    "valid_to_from": "Only what ends at this instant or later.",
}
_BOUNDS: Final = {"from": "at this instant or later", "before": "before this instant", "after": "after this instant"}
_HAPPENS: Final = {"starts": "starts", "ends": "ends", "since": "began"}


def words(parameter: Mapping[str, Any]) -> str:
    """Return what a parameter means, by its place, its name and what it takes."""
    name, said = parameter["name"], parameter["name"].replace("_", " ")
    is_in_path = parameter["in"] == "path"
    known = (_IN_PATHS if is_in_path else _IN_QUERIES).get(name)
    if known is not None:
        return known
    typed = _PREFIX.match(parameter["schema"].get("pattern", ""))
    if typed and typed[1] in ids.PREFIXES:
        noun = ids.PREFIXES[typed[1]]
        return f"The id of the {noun}." if is_in_path else f"Only with this {said}, by its id."
    subject, _, bound = name.rpartition("_")
    if subject and bound in _BOUNDS:
        return f"Only what {_HAPPENS.get(subject, f'was {subject}')} {_BOUNDS[bound]}."
    if name.startswith("min_"):
        return f"At least so much of it: {said.removeprefix('min ')}."
    return f"The {said}." if is_in_path else f"Only with this {said}."
