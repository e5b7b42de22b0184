"""Strict reading of book documents: JSON in, a canonical ``Book`` out, or the exact place that is wrong.

Integers only (no float, no boolean, no exponent), no duplicate key, no dangling cell, nothing off the slot grid.
Members that the format does not name are ignored and leave no trace in the digest, so that a book may carry a title
or a note; only inside ``needs`` they are refused, because a need that is not understood cannot be met. Errors carry a
JSON pointer, the value seen and what was expected.
"""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

from exchange.clearing import book as books
from exchange.clearing.book import Attributes, Book, Cell, MaxLatency, Needs, Offer, Order, OrderKind
from exchange.clearing.errors import BookError, shorten

_NEEDS = tuple(field.name for field in dataclasses.fields(Needs))
_BLOCK_KEYS = ("qmin", "hours")
_ORDER_KEYS = ("id", "buyer", "seq", "kind", "qmax", "limit", "earliest", "latest")

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
MAX_DEPTH = 16
MAX_ID_CHARACTERS = 256
_INTEGER_CHARACTERS = 20  # a sign and the 19 digits of 2^63

# A whole string (closed or not, so that a scan is linear) or one bracket outside of strings.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
_STEP = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Unreadable:
    """A JSON value that no rule accepts, kept so that the error can name its place."""

    text: str
    expected: str

    def __repr__(self) -> str:
        return self.text


T = TypeVar("T")
D = TypeVar("D")
Row = TypeVar("Row", Cell, Offer, Order)
Read: TypeAlias = Callable[[object, str], T]


def parse_book(source: bytes | str) -> Book:
    """Read a book document; raises BookError."""
    return read_book(load_json(source))


def make_book(
    *,
    cells: Iterable[Cell],
    offers: Iterable[Offer],
    orders: Iterable[Order],
    budgets: Mapping[str, int] | None = None,
    grid: int = 1,
) -> Book:
    """Build a checked, canonical book from its parts; raises BookError exactly as a document with them would."""
    draft = Book(tuple(cells), tuple(offers), tuple(orders), dict(budgets or {}), grid)
    return read_book(draft.to_document())


def load_json(source: bytes | str, *, integer_characters: int = _INTEGER_CHARACTERS) -> object:
    """Read JSON as UTF-8 with bounded depth; numbers that are not integers come back as ``Unreadable``.

    Welfare and bound are sums of products and may be longer than the integers of a book.
    """
    try:
        raw = source.encode() if isinstance(source, str) else source
        text = raw.decode()
    except UnicodeError as error:
        raise BookError("", value=str(error), expected="UTF-8 text") from error
    _check_depth(raw)
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=partial(_integer_literal, at_most=integer_characters),
            parse_float=_float_literal,
            parse_constant=_float_literal,
        )
    except ValueError as error:
        raise BookError("", value=str(error), expected="one JSON document") from error


def _check_depth(raw: bytes) -> None:
    depth = 0
    for token in _TOKEN.finditer(raw):
        depth += _STEP.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise BookError("", value=f"nesting deeper than {MAX_DEPTH}", expected="a book, which is 5 levels deep")


def _object(pairs: list[tuple[str, object]]) -> object:
    document = dict(pairs)
    if len(document) == len(pairs):
        return document
    twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    return Unreadable(f"duplicate key {shorten(twice)}", "an object with distinct keys")


def _integer_literal(text: str, *, at_most: int) -> object:
    if len(text) > at_most:
        return Unreadable(shorten(text)[1:-1], f"an integer of at most {at_most} characters")
    return int(text)


def _float_literal(text: str) -> object:
    return Unreadable(shorten(text)[1:-1], "an integer without fraction or exponent")


def read_book(document: object) -> Book:
    """Check a decoded document and return its book; raises BookError."""
    top = _Fields(document, "", required=("cells", "offers", "orders"))
    grid = top.get("grid", _integer(1), 1)
    cells = top.rows("cells", _read_cell)
    known = {cell.id for cell in cells}
    offers = top.rows("offers", lambda value, at: _read_offer(value, at, known=known, grid=grid))
    orders = top.rows("orders", lambda value, at: _read_order(value, at, grid=grid))
    no_budgets: Mapping[str, int] = {}
    budgets = top.get("budgets", _map_of(_integer(0)), no_budgets)
    return books.canonical(Book(cells, offers, orders, budgets, grid))


class _Fields:
    """One JSON object that has to have some keys and, if ``only`` is given, may have no others than those."""

    def __init__(
        self, value: object, at: str, *, required: tuple[str, ...] = (), only: tuple[str, ...] | None = None
    ) -> None:
        self.at = at
        self.values = _an_object(value, at)
        for key in self.values:
            if only is not None and key not in only:
                raise BookError(_join(at, key), value=key, expected="one of the keys " + ", ".join(only))
        for key in required:
            if key not in self.values:
                raise BookError(_join(at, key), value="a missing key", expected=f"the key {key!r}")

    def must(self, key: str, read: Read[T]) -> T:
        return read(self.values[key], _join(self.at, key))

    def get(self, key: str, read: Read[T], default: D) -> T | D:
        return self.must(key, read) if key in self.values else default

    def rows(self, key: str, read: Read[Row]) -> tuple[Row, ...]:
        at = _join(self.at, key)
        rows = tuple(read(value, f"{at}/{index}") for index, value in enumerate(_a_list(self.values[key], at)))
        seen: set[str] = set()
        for index, row in enumerate(rows):
            if row.id in seen:
                raise BookError(f"{at}/{index}/id", value=row.id, expected=f"an id used once in {key}")
            seen.add(row.id)
        return rows


def _read_cell(value: object, at: str) -> Cell:
    fields = _Fields(value, at, required=("id", "site", "attrs"))
    return Cell(
        id=fields.must("id", _text),
        site=fields.must("site", _text),
        attributes=fields.must("attrs", _read_attributes),
    )


def _read_attributes(value: object, at: str) -> Attributes:
    fields = _Fields(value, at)
    return Attributes(
        model=fields.get("model", _text, None),
        mem_gb=fields.get("mem_gb", _integer(0), None),
        tflops=fields.get("tflops", _integer(0), None),
        region=fields.get("region", _text, None),
        green_pct=fields.get("green_pct", _integer(0), None),
        security=fields.get("security", _integer(0), None),
        interconnect=fields.get("interconnect", _text, None),
        latency_ms=fields.get("latency_ms", _map_of(_integer(0)), None),
    )


def _read_needs(value: object, at: str) -> Needs:
    fields = _Fields(value, at, only=_NEEDS)
    return Needs(
        model=fields.get("model", _texts, None),
        region=fields.get("region", _texts, None),
        interconnect=fields.get("interconnect", _texts, None),
        min_mem_gb=fields.get("min_mem_gb", _integer(0), None),
        min_tflops=fields.get("min_tflops", _integer(0), None),
        min_green_pct=fields.get("min_green_pct", _integer(0), None),
        min_security=fields.get("min_security", _integer(0), None),
        max_latency=fields.get("max_latency", _read_latency, None),
    )


def _read_latency(value: object, at: str) -> MaxLatency:
    fields = _Fields(value, at, required=("metro", "ms"), only=("metro", "ms"))
    return MaxLatency(metro=fields.must("metro", _text), ms=fields.must("ms", _integer(0)))


def _read_offer(value: object, at: str, *, known: set[str], grid: int) -> Offer:
    fields = _Fields(value, at, required=("id", "provider", "cell", "t0", "t1", "qty", "reserve", "seq"))
    offer = Offer(
        id=fields.must("id", _text),
        provider=fields.must("provider", _text),
        cell=fields.must("cell", _text),
        t0=fields.must("t0", _slot(grid)),
        t1=fields.must("t1", _slot(grid)),
        qty=fields.must("qty", _integer(1)),
        reserve=fields.must("reserve", _integer(0)),
        seq=fields.must("seq", _integer(INT64_MIN)),
    )
    if offer.cell not in known:
        raise BookError(f"{at}/cell", value=offer.cell, expected="the id of a cell of this book")
    if offer.t0 >= offer.t1:
        raise BookError(f"{at}/t1", value=offer.t1, expected=f"a slot after t0, which is {offer.t0}")
    return offer


def _read_order(value: object, at: str, *, grid: int) -> Order:
    is_block = isinstance(value, dict) and value.get("kind") == OrderKind.BLOCK
    fields = _Fields(value, at, required=_ORDER_KEYS + (_BLOCK_KEYS if is_block else ()))
    kind = fields.must("kind", _kind)
    if is_block:
        qmin, hours = fields.must("qmin", _integer(1)), fields.must("hours", _slot(grid))
    else:
        qmin = hours = 0
        for key in _BLOCK_KEYS:
            fields.get(key, _ignored, None)
    order = Order(
        id=fields.must("id", _text),
        buyer=fields.must("buyer", _text),
        seq=fields.must("seq", _integer(INT64_MIN)),
        kind=kind,
        qmax=fields.must("qmax", _integer(1)),
        limit=fields.must("limit", _integer(0)),
        earliest=fields.must("earliest", _slot(grid)),
        latest=fields.must("latest", _slot(grid)),
        qmin=qmin,
        hours=hours,
        single_site=fields.get("single_site", _boolean, False),
        needs=fields.get("needs", _read_needs, Needs()),
    )
    _check_order(order, at)
    return order


def _check_order(order: Order, at: str) -> None:
    window = order.latest - order.earliest
    if window <= 0:
        raise BookError(
            f"{at}/latest", value=order.latest, expected=f"a slot after earliest, which is {order.earliest}"
        )
    if not order.is_block:
        return
    if order.qmin > order.qmax:
        raise BookError(f"{at}/qmin", value=order.qmin, expected=f"at most qmax, which is {order.qmax}")
    if not 1 <= order.hours <= window:
        raise BookError(f"{at}/hours", value=order.hours, expected=f"1 to {window}, the length of the window")


def _integer(least: int) -> Read[int]:
    def read(value: object, at: str) -> int:
        # bool is an int to Python, never to a book.
        if isinstance(value, Unreadable) or type(value) is not int or not least <= value <= INT64_MAX:
            bound = f"an integer of at least {least} and at most 64 bits"
            raise BookError(at, value=value, expected="a 64-bit integer" if least == INT64_MIN else bound)
        return value

    return read


def _ignored(value: object, at: str) -> None:
    """Check a number that an hourly order only carries: any integer, or null; never a float in its place."""
    if value is not None:
        _integer(INT64_MIN)(value, at)


def _slot(grid: int) -> Read[int]:
    read_integer = _integer(INT64_MIN)

    def read(value: object, at: str) -> int:
        slot = read_integer(value, at)
        if slot % grid:
            raise BookError(at, value=slot, expected=f"a multiple of the grid, which is {grid}")
        return slot

    return read


def _text(value: object, at: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_CHARACTERS or _UNPRINTABLE.search(value):
        raise BookError(at, value=value, expected=f"1 to {MAX_ID_CHARACTERS} printable characters")
    return value


def _texts(value: object, at: str) -> tuple[str, ...]:
    return tuple(sorted({_text(item, f"{at}/{index}") for index, item in enumerate(_a_list(value, at))}))


def _boolean(value: object, at: str) -> bool:
    if not isinstance(value, bool):
        raise BookError(at, value=value, expected="true or false")
    return value


def _kind(value: object, at: str) -> OrderKind:
    if value not in (OrderKind.HOURLY, OrderKind.BLOCK):
        raise BookError(at, value=value, expected="'hourly' or 'block'")
    return OrderKind(str(value))


def _map_of(read: Read[int]) -> Read[Mapping[str, int]]:
    def read_map(value: object, at: str) -> Mapping[str, int]:
        pairs = sorted(_an_object(value, at).items())
        return {_text(key, _join(at, key)): read(item, _join(at, key)) for key, item in pairs}

    return read_map


def _an_object(value: object, at: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BookError(at, value=value, expected=getattr(value, "expected", "an object"))
    return value


def _a_list(value: object, at: str) -> list[object]:
    if not isinstance(value, list):
        raise BookError(at, value=value, expected="a list")
    return value


def _join(at: str, key: str) -> str:
    """Return the JSON pointer (RFC 6901) of a key below ``at``."""
    return f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
