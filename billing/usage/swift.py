"""Reads the common event at once: a report that is well formed, has no extension attributes and spells nothing twice.

Whatever is not quickly seen to be all right is left to the careful reader in `cloudevents`, which says what is wrong.
What is read here is what that one would have read; a test compares the two.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final
from uuid import UUID

from accounts.foundation import ids, strict
from billing.usage.cloudevents import SPECVERSION, EventKey, Report, Wrong, span_of
from billing.usage.rules import MAX_TEXT, MAX_UNITS, TYPES, EventKind
from catalog.measures.interval import Interval

# Below the largest quantity there is, so that nothing has to be compared.
_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,9})?", re.ASCII).fullmatch
_USAGE: Final = {name: kind for name, kind in TYPES.items() if kind is not EventKind.REVERSAL}
_REQUIRED: Final = ("specversion", "id", "source", "type", "data")
_MEMBERS: Final = {EventKind.READING: 5, EventKind.SEGMENT: 4}  # of data


def _refused(text: str) -> Any:
    raise ValueError(text)


# Without a hook for objects; a fraction has no place in an event of this kind.
_scan: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder(
    parse_constant=_refused, parse_float=_refused
).scan_once  # type: ignore[attr-defined]  # what decode() itself calls, after looking for blanks


def line(index: int, text: bytes) -> Report | None:
    """Read a line of JSON; None when it takes a closer look."""
    if b"\\" in text or b"[" in text or text.count(b"{") != 2:
        return None
    try:
        spelled = text.decode().strip(" \t\r\n")
        item, end = _scan(spelled, 0)
    except (ValueError, StopIteration):
        return None
    if end != len(spelled) or not isinstance(item, dict):
        return None
    report = event(index, item)
    if report is None:
        return None
    # Without escapes each text takes two quotation marks. More of them than the values have: a name came twice.
    texts = 2 * (len(item) + _MEMBERS[report.kind]) - 1 - (report.kind is EventKind.SEGMENT)
    return report if text.count(b'"') == 2 * texts else None


def event(index: int, item: Mapping[str, Any]) -> Report | None:
    """Read a decoded item; None when it takes a closer look."""
    try:
        return _report(index, item)
    except (KeyError, TypeError, ids.MalformedId, strict.Mismatch, Wrong):
        return None


def _report(index: int, item: Mapping[str, Any]) -> Report | None:
    data, source, event_id = item["data"], item["source"], item["id"]
    start, end, lease = data["start"], data["end"], data["lease"]
    kind = _USAGE[item["type"]]
    occurred_at, time_member = _time(item["time"]) if "time" in item else (None, "")
    if len(item) != len(_REQUIRED) + bool(time_member) or len(data) != _MEMBERS[kind]:
        return None
    if item["specversion"] != SPECVERSION or not (_is_plain(source) and _is_plain(event_id)):
        return None
    measured = _reading(data["meter"], data["quantity"]) if kind is EventKind.READING else _segment(data["quantity"])
    if measured is None:
        return None
    meter, quantity, members = measured
    lease_id, interval = _lease(lease), _span(start, end)
    # Sorted and compact, as `cloudevents.plain` has it; what was parsed above needs no escape.
    payload = (
        f'{{"data":{{"end":"{end}","lease":"{lease}",{members},"start":"{start}"}},"id":{encode_basestring(event_id)},'
        f'"source":{encode_basestring(source)},"specversion":"{SPECVERSION}",{time_member}"type":"{item["type"]}"}}'
    )
    digest = hashlib.sha256(payload.encode()).hexdigest()
    key = EventKey(source, event_id)
    return Report(index, key, kind, lease_id, meter, interval, quantity, None, occurred_at, payload, digest)


def _reading(meter: object, quantity: Any) -> tuple[str, Decimal, str] | None:
    if not _AMOUNT(quantity):
        return None
    name, member = _meter(meter)
    return name, Decimal(quantity), f'{member},"quantity":"{quantity}"'


def _segment(quantity: object) -> tuple[str, Decimal, str] | None:
    if type(quantity) is not int or not 0 <= quantity <= MAX_UNITS:
        return None
    return "", Decimal(quantity), f'"quantity":{quantity}'


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= MAX_TEXT and text.isprintable() and not text.isspace()


# A request reports of few leases, times and meters, again and again. Typed, for 1 and True are no texts.
@lru_cache(maxsize=4_096, typed=True)
def _lease(text: object) -> UUID:
    return ids.parse("lse", text)


@lru_cache(maxsize=4_096, typed=True)
def _span(start: object, end: object) -> Interval:
    return span_of(start, end)


@lru_cache(maxsize=4_096, typed=True)
def _time(text: object) -> tuple[datetime, str]:
    return strict.instant(text), f'"time":"{text}",'


@lru_cache(maxsize=256, typed=True)
def _meter(text: object) -> tuple[str, str]:
    name = strict.text(text, max_length=32)
    return name, f'"meter":{encode_basestring(name)}'
