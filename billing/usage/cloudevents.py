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
from typing import Any, Final, TypeVar
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
_MEMBERS: Final[Mapping[EventKind, frozenset[str]]] = {
    EventKind.SEGMENT: frozenset({"lease", "start", "end", "quantity"}),
    EventKind.READING: frozenset({"lease", "meter", "start", "end", "quantity"}),
    EventKind.REVERSAL: frozenset({"reverses"}),
}


@dataclass(frozen=True, slots=True)
class EventKey:
    """What identifies an event of one organisation, for ever."""

    source: str
    event_id: str


@dataclass(frozen=True, slots=True)
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


class _Wrong(Exception):
    def __init__(self, pointer: str, detail: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail
        self.code = code


_Value = TypeVar("_Value")


def read(index: int, item: object) -> Report | Refusal:
    """Read the item at a place of a batch."""
    payload = _canonical(item)
    payload_hash = hashlib.sha256(payload.encode()).hexdigest()
    try:
        return _report(index, item, payload, payload_hash)
    except _Wrong as wrong:
        known = item if isinstance(item, dict) else {}
        return Refusal(
            index=index,
            source=_shown_text(known.get("source")),
            event_id=_shown_text(known.get("id")),
            code=wrong.code,
            detail=wrong.detail,
            pointer=wrong.pointer,
            payload=payload[:MAX_PAYLOAD_CHARACTERS],
            payload_hash=payload_hash,
        )


def _report(index: int, item: object, payload: str, payload_hash: str) -> Report:
    if not isinstance(item, dict):
        raise _Wrong("", str(strict.Mismatch(item, "a CloudEvent, an object")))
    if len(payload) > MAX_PAYLOAD_CHARACTERS:
        raise _Wrong("", f"{len(payload)} characters were given; expected at most {MAX_PAYLOAD_CHARACTERS}.")
    _check_attributes(item)
    kind = TYPES[item["type"]]
    key = EventKey(
        _field("/source", item["source"], lambda value: strict.text(value, max_length=MAX_TEXT)),
        _field("/id", item["id"], lambda value: strict.text(value, max_length=MAX_TEXT)),
    )
    occurred_at = _field("/time", item["time"], strict.instant) if "time" in item else None
    data = item["data"]
    _check_members(data, _MEMBERS[kind])
    if kind is EventKind.REVERSAL:
        return Report(
            index=index,
            key=key,
            kind=kind,
            lease_id=None,
            meter="",
            interval=None,
            quantity=None,
            reverses=_reversed_key(data["reverses"]),
            occurred_at=occurred_at,
            payload=payload,
            payload_hash=payload_hash,
        )
    interval = _interval(data)
    return Report(
        index=index,
        key=key,
        kind=kind,
        lease_id=_field("/data/lease", data["lease"], _lease),
        meter=_field("/data/meter", data["meter"], lambda value: strict.text(value, max_length=32))
        if kind is EventKind.READING
        else "",
        interval=interval,
        quantity=_field("/data/quantity", data["quantity"], _units if kind is EventKind.SEGMENT else _amount),
        reverses=None,
        occurred_at=occurred_at,
        payload=payload,
        payload_hash=payload_hash,
    )


def _check_attributes(item: Mapping[str, Any]) -> None:
    for name in _REQUIRED:
        if name not in item:
            raise _Wrong(f"/{name}", f"{name} is missing; expected a CloudEvent with {', '.join(_REQUIRED)}.")
    if item["specversion"] != SPECVERSION:
        raise _Wrong("/specversion", str(strict.Mismatch(item["specversion"], f'"{SPECVERSION}"')))
    if not isinstance(item["type"], str) or item["type"] not in TYPES:
        raise _Wrong("/type", str(strict.Mismatch(item["type"], f"one of {', '.join(TYPES)}")), "unknown_type")
    if item.get("datacontenttype", "application/json") != "application/json":
        raise _Wrong("/datacontenttype", str(strict.Mismatch(item["datacontenttype"], "application/json")))
    for name, value in item.items():
        if name == "data":
            continue
        if not _ATTRIBUTE.match(name):
            raise _Wrong("", str(strict.Mismatch(name, "attribute names of 1 to 20 lower-case letters and digits")))
        if not isinstance(value, str) and not (isinstance(value, int) and abs(value) < LARGEST_INTEGER):
            raise _Wrong(f"/{name}", str(strict.Mismatch(value, "a string, a 32-bit integer, true or false")))


def _check_members(data: object, members: frozenset[str]) -> None:
    expected = f"an object with {', '.join(sorted(members))}"
    if not isinstance(data, dict):
        raise _Wrong("/data", str(strict.Mismatch(data, expected)))
    for name in sorted(members - data.keys()):
        raise _Wrong(f"/data/{name}", f"{name} is missing; expected {expected}.")
    for name in sorted(data.keys() - members):
        raise _Wrong("/data", str(strict.Mismatch(name, expected)))


def _reversed_key(value: object) -> EventKey:
    if not isinstance(value, dict) or value.keys() != {"source", "id"}:
        raise _Wrong("/data/reverses", str(strict.Mismatch(value, "an object with source and id")))
    return EventKey(
        _field("/data/reverses/source", value["source"], lambda text: strict.text(text, max_length=MAX_TEXT)),
        _field("/data/reverses/id", value["id"], lambda text: strict.text(text, max_length=MAX_TEXT)),
    )


def _interval(data: Mapping[str, Any]) -> Interval:
    start = _field("/data/start", data["start"], strict.instant)
    end = _field("/data/end", data["end"], strict.instant)
    for pointer, moment in (("/data/start", start), ("/data/end", end)):
        if moment.microsecond:
            raise _Wrong(
                pointer, str(strict.Mismatch(moment.isoformat(), "a whole second: usage is counted in seconds"))
            )
    if start >= end:
        raise _Wrong("/data/end", str(strict.Mismatch(data["end"], f"a time after the start, {data['start']}")))
    return Interval(start, end)


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
        raise _Wrong(pointer, str(error)) from error


def _canonical(item: Any) -> str:
    """Return the canonical text (RFC 8785) of an item; every item that can be accepted has one."""
    try:
        return rfc8785.dumps(item).decode()
    except rfc8785.CanonicalizationError:  # fractions and numbers beyond 2^53, which no member may have
        return json.dumps(item, sort_keys=True, separators=(",", ":"), default=str)


def _shown_text(value: object) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None
