"""Reads CloudEvents 1.0 strictly: a JSON value becomes a report, or the reason why it is none.

Three types are understood, each with exactly these members in `data`:

    exchange.allocation.segment.v1   lease, start, end, quantity (whole units allocated)
    exchange.meter.reading.v1        lease, meter, start, end, quantity (decimal in a string)
    exchange.correction.v1           reverses: {source, id}

Extension attributes are allowed as the specification has them and are kept with the event.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import rfc8785

from accounts.foundation import ids, strict
from billing.usage.rules import MAX_PAYLOAD_CHARACTERS, MAX_TEXT, MAX_UNITS, TYPES, EventKind
from catalog.measures.interval import Interval

SPECVERSION: Final = "1.0"
LARGEST_INTEGER: Final = 2**31  # CloudEvents integers are signed and have 32 bits
MAX_QUANTITY: Final = Decimal(10) ** 15 - 1

_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,20}\Z", re.ASCII)
_REQUIRED: Final = ("specversion", "id", "source", "type", "data")
_READ_BY_NAME: Final = frozenset({*_REQUIRED, "time", "datacontenttype"})
_MEMBERS: Final[Mapping[EventKind, frozenset[str]]] = {
    EventKind.SEGMENT: frozenset({"lease", "start", "end", "quantity"}),
    EventKind.READING: frozenset({"lease", "meter", "start", "end", "quantity"}),
    EventKind.REVERSAL: frozenset({"reverses"}),
}


class EventKey(NamedTuple):
    """What identifies an event of one organisation, for ever."""

    source: str
    event_id: str


@dataclass(slots=True)  # not frozen: ten thousand of them are made for a request, and freezing doubles the time
class Report:
    """A well-formed event. A reversal has only `reverses`; `occurred_at` is None where the event gives no time."""

    index: int
    key: EventKey
    kind: EventKind
    lease_id: UUID | None
    meter: str
    interval: Interval | None
    quantity: Decimal | None
    reverses: EventKey | None
    occurred_at: datetime | None
    payload: str
    payload_hash: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item is not taken; `pointer` is a JSON Pointer into the item."""

    index: int
    source: str | None
    event_id: str | None
    code: str
    detail: str
    pointer: str
    payload: str
    payload_hash: str


class Wrong(Exception):
    """A member of an item is not what was expected."""

    def __init__(self, pointer: str, detail: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail
        self.code = code


_Value = TypeVar("_Value")


def read(index: int, item: object) -> Report | Refusal:
    """Read the item at a place of a batch."""
    try:
        return _report(index, item)
    except Wrong as wrong:
        payload = _canonical(item)
        known = item if isinstance(item, dict) else {}
        return Refusal(
            index=index,
            source=_shown_text(known.get("source")),
            event_id=_shown_text(known.get("id")),
            code=wrong.code,
            detail=wrong.detail,
            pointer=wrong.pointer,
            payload=payload[:MAX_PAYLOAD_CHARACTERS],
            payload_hash=hashlib.sha256(payload.encode()).hexdigest(),
        )


def unreadable(index: int, text: str, detail: str) -> Refusal:
    """Return the refusal of a line that is not JSON."""
    kept = json.dumps(text[: MAX_PAYLOAD_CHARACTERS // 8])
    return Refusal(
        index=index,
        source=None,
        event_id=None,
        code="not_json",
        detail=detail,
        pointer="",
        payload=kept,
        payload_hash=hashlib.sha256(kept.encode()).hexdigest(),
    )


def _report(index: int, item: object) -> Report:
    if not isinstance(item, dict):
        raise Wrong("", str(strict.Mismatch(item, "a CloudEvent, an object")))
    _check_attributes(item)
    kind = TYPES[item["type"]]
    key = EventKey(_field("/source", item["source"], _text), _field("/id", item["id"], _text))
    occurred_at = _field("/time", item["time"], strict.instant) if "time" in item else None
    data = item["data"]
    _check_members(data, _MEMBERS[kind])
    reading = kind is EventKind.READING
    reverses = _reversed_key(data["reverses"]) if kind is EventKind.REVERSAL else None
    interval = span_of(data["start"], data["end"]) if reverses is None else None
    lease_id = _field("/data/lease", data["lease"], _lease) if reverses is None else None
    meter = _field("/data/meter", data["meter"], _meter) if reading else ""
    quantity = _field("/data/quantity", data["quantity"], _amount if reading else _units) if reverses is None else None
    payload, payload_hash = _payload(item)
    return Report(index, key, kind, lease_id, meter, interval, quantity, reverses, occurred_at, payload, payload_hash)


def _payload(item: Mapping[str, Any]) -> tuple[str, str]:
    payload = plain(item)
    if len(payload) > MAX_PAYLOAD_CHARACTERS:
        raise Wrong("", f"{len(payload)} characters were given; expected at most {MAX_PAYLOAD_CHARACTERS}.")
    try:
        return payload, hashlib.sha256(payload.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise Wrong("", "A text contains half of a surrogate pair.") from error


def _check_attributes(item: Mapping[str, Any]) -> None:
    for name in _REQUIRED:
        if name not in item:
            raise Wrong(f"/{name}", f"{name} is missing; expected a CloudEvent with {', '.join(_REQUIRED)}.")
    if item["specversion"] != SPECVERSION:
        raise Wrong("/specversion", str(strict.Mismatch(item["specversion"], f'"{SPECVERSION}"')))
    if not isinstance(item["type"], str) or item["type"] not in TYPES:
        raise Wrong("/type", str(strict.Mismatch(item["type"], f"one of {', '.join(TYPES)}")), "unknown_type")
    if item.get("datacontenttype", "application/json") != "application/json":
        raise Wrong("/datacontenttype", str(strict.Mismatch(item["datacontenttype"], "application/json")))
    for name, value in item.items():
        if name in _READ_BY_NAME:
            continue
        if not _ATTRIBUTE.match(name):
            raise Wrong("", str(strict.Mismatch(name, "attribute names of 1 to 20 lower-case letters and digits")))
        if not isinstance(value, str) and not (isinstance(value, int) and abs(value) < LARGEST_INTEGER):
            raise Wrong(f"/{name}", str(strict.Mismatch(value, "a string, a 32-bit integer, true or false")))


def _check_members(data: object, members: frozenset[str]) -> None:
    if isinstance(data, dict) and data.keys() == members:
        return
    expected = f"an object with {', '.join(sorted(members))}"
    if not isinstance(data, dict):
        raise Wrong("/data", str(strict.Mismatch(data, expected)))
    for name in sorted(members - data.keys()):
        raise Wrong(f"/data/{name}", f"{name} is missing; expected {expected}.")
    for name in sorted(data.keys() - members):
        raise Wrong("/data", str(strict.Mismatch(name, expected)))


def _reversed_key(value: object) -> EventKey:
    if not isinstance(value, dict) or value.keys() != {"source", "id"}:
        raise Wrong("/data/reverses", str(strict.Mismatch(value, "an object with source and id")))
    return EventKey(
        _field("/data/reverses/source", value["source"], _text),
        _field("/data/reverses/id", value["id"], _text),
    )


def span_of(start_text: object, end_text: object) -> Interval:
    """Read the interval of a report; raises Wrong."""
    start = _field("/data/start", start_text, strict.instant)
    end = _field("/data/end", end_text, strict.instant)
    for pointer, moment in (("/data/start", start), ("/data/end", end)):
        if moment.microsecond:
            raise Wrong(
                pointer, str(strict.Mismatch(moment.isoformat(), "a whole second: usage is counted in seconds"))
            )
    if start >= end:
        raise Wrong("/data/end", str(strict.Mismatch(end_text, f"a time after the start, {start_text}")))
    return Interval(start, end)


def _text(value: object) -> str:
    return strict.text(value, max_length=MAX_TEXT)


def _meter(value: object) -> str:
    return strict.text(value, max_length=32)


def _lease(value: object) -> UUID:
    try:
        return ids.parse("lse", value)
    except ids.MalformedId as error:
        raise strict.Mismatch(value, "the id of a lease, lse_...") from error


def _units(value: object) -> Decimal:
    return Decimal(strict.integer(value, minimum=0, maximum=MAX_UNITS))


def _amount(value: object) -> Decimal:
    return strict.decimal(value, max_digits=24, decimal_places=9, minimum=Decimal(0), maximum=MAX_QUANTITY)


def _field(pointer: str, value: object, reader: Callable[[object], _Value]) -> _Value:
    try:
        return reader(value)
    except strict.Mismatch as error:
        raise Wrong(pointer, str(error)) from error


def plain(item: Mapping[str, Any]) -> str:
    """Return the canonical text (RFC 8785) of an item that has been read: text, small whole numbers, ASCII names.

    Of such an item sorted, compact JSON is the canonical form; a test compares the two.
    """
    return _PLAIN.encode(item)


_PLAIN: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _canonical(item: Any) -> str:
    """Return the canonical text (RFC 8785) of an item; every item that can be accepted has one.

    Of one that is too long to be accepted it is any compact JSON: the canonical form of megabytes takes seconds.
    """
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=str)
    if len(text) > 6 * MAX_PAYLOAD_CHARACTERS:  # a character takes six where it is escaped
        return text
    try:
        return rfc8785.dumps(item).decode()
    except rfc8785.CanonicalizationError:  # fractions and numbers beyond 2^53, which no member may have
        return text


def _shown_text(value: object) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None
