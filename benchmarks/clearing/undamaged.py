"""A small market with something for every rule of the verifier to bite on, and an outcome that keeps them all.

Both are written by hand; `damages` breaks the outcome rule by rule.
"""

from functools import cache
from typing import Any

from exchange.clearing import parsing
from exchange.clearing.book import Book

_LARGE: dict[str, Any] = {
    "model": "big",
    "mem_gb": 80,
    "tflops": 900,
    "region": "north",
    "green_pct": 60,
    "security": 3,
    "interconnect": "ib",
    "latency_ms": {"metro": 10},
}
_WISHES: dict[str, dict[str, Any]] = {
    "model": {"model": ["big"]},
    "region": {"region": ["north"]},
    "interconnect": {"interconnect": ["ib"]},
    "mem_gb": {"min_mem_gb": 80},
    "tflops": {"min_tflops": 900},
    "green_pct": {"min_green_pct": 60},
    "security": {"min_security": 3},
    "latency_ms": {"max_latency": {"metro": "metro", "ms": 10}},
}
# For each attribute a cell that is a little less, and one that does not state it; their supply is too dear to matter.
LESS: dict[str, Any] = {
    "model": "small",
    "mem_gb": 79,
    "tflops": 899,
    "region": "south",
    "green_pct": 59,
    "security": 2,
    "interconnect": "eth",
    "latency_ms": {"metro": 11},
}


@cache
def market() -> Book:
    """Return the book."""
    cells = [{"id": name, "site": name, "attrs": dict(_LARGE)} for name in ("a", "b")]
    for attribute, less in LESS.items():
        cells.append({"id": f"less {attribute}", "site": "x", "attrs": _LARGE | {attribute: less}})
        without = {key: value for key, value in _LARGE.items() if key != attribute}
        cells.append({"id": f"no {attribute}", "site": "x", "attrs": without})
    cells.append({"id": "no metro", "site": "x", "attrs": _LARGE | {"latency_ms": {"elsewhere": 1}}})
    cells.append({"id": "empty", "site": "x", "attrs": dict(_LARGE)})
    every = {key: value for wish in _WISHES.values() for key, value in wish.items()}
    offers = [
        _offer("a1", "a", 1, qty=4, reserve=10),
        _offer("a2", "a", 2, qty=4, reserve=20),
        _offer("a3", "a", 3, qty=4, reserve=20),
        _offer("b1", "b", 4, qty=6, reserve=12),
        *(_offer(f"of {cell['id']}", str(cell["id"]), 5, qty=9, reserve=12) for cell in cells[2:-1]),
    ]
    orders = [
        _order("wide", 6, "u", qmax=4, limit=40, latest=4, hours=2, single_site=True, needs=every),
        _order("hours", 7, "capped", qmax=3, limit=30, latest=2, needs=every),
        _order("poor", 8, "u", qmax=2, qmin=1, limit=11, latest=2, hours=2, needs=every),
        _order("split", 9, "u", qmax=3, qmin=2, limit=13, earliest=2, latest=4, hours=2),
        _order("late", 10, "u", qmax=1, limit=9, earliest=1, latest=4, hours=1, needs=every),
    ]
    return parsing.read_book(
        {"grid": 1, "cells": cells, "offers": offers, "orders": orders, "budgets": {"capped": 72, "nobody": 0}}
    )


@cache
def gridded() -> Book:
    """Return a book whose only block may start in slots 0 and 2."""
    return parsing.read_book(
        {
            "grid": 2,
            "cells": [{"id": "a", "site": "a", "attrs": {}}],
            "offers": [_offer("a1", "a", 1, qty=1, reserve=10)],
            "orders": [_order("two", 2, "u", qmax=1, limit=30, latest=4, hours=2)],
        }
    )


@cache
def uneven() -> Book:
    """Return a book of an hourly window that only its own order ends, and of a block with very many starts."""
    cells: list[dict[str, Any]] = [{"id": name, "site": name, "attrs": {}} for name in ("a", "b")]
    offers = [
        _offer("a1", "a", 1, qty=2, reserve=5),
        _offer("a2", "a", 2, qty=2, reserve=5),
        _offer("b1", "b", 3, qty=9, reserve=3),
    ]
    orders = [
        _order("hours", 4, "u", qmax=4, limit=9, earliest=1, latest=4),
        _order("long", 5, "u", qmax=1, limit=4, earliest=-200, latest=206, hours=2),
    ]
    return parsing.read_book({"cells": cells, "offers": [offer | {"t1": 6} for offer in offers], "orders": orders})


@cache
def waiting() -> Book:
    """Return a book of one block in one cell, where nothing is on offer."""
    cells: list[dict[str, Any]] = [{"id": "a", "site": "a", "attrs": {}}]
    return parsing.read_book(
        {"cells": cells, "offers": [], "orders": [_order("one", 1, "u", qmax=1, limit=4, latest=4, hours=2)]}
    )


def _offer(name: str, cell: str, seq: int, *, qty: int, reserve: int) -> dict[str, Any]:
    return {"id": name, "provider": "p", "cell": cell, "t0": 0, "t1": 4, "qty": qty, "reserve": reserve, "seq": seq}


def _order(name: str, seq: int, buyer: str, *, qmax: int, hours: int = 0, **fields: Any) -> dict[str, Any]:
    kind = {"kind": "block", "hours": hours, "qmin": qmax} if hours else {"kind": "hourly"}
    return {"id": name, "buyer": buyer, "seq": seq, "qmax": qmax, "earliest": 0} | kind | fields


def good() -> dict[str, Any]:
    """Return a legal and strict outcome: prices of 12 in b exhaust the budget of 72 for 3 lots over 2 slots."""
    return {
        "prices": {"a": [[0, 2, 20], [2, 4, 10]], "b": [[0, 4, 12]]},
        "trades": [
            {"order": "wide", "offer": "a1", "t0": 0, "t1": 2, "qty": 4, "price": 20},
            {"order": "hours", "offer": "b1", "t0": 0, "t1": 2, "qty": 3},
            {"order": "split", "offer": "b1", "t0": 2, "t1": 4, "qty": 2, "price": 12},
        ],
    }


WELFARE = 2 * 4 * (40 - 10) + 2 * 3 * (30 - 12) + 2 * 2 * (13 - 12)
