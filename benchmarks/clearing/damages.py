"""The damages of a good outcome: what a verifier has to say to each, code by code.

A case is a change of the outcome and the exact set of codes that it deserves. The claims of welfare and bound are left
out of most cases, so that a changed trade is not also a wrong sum.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.clearing.undamaged import LESS, WELFARE, good, gridded, market, uneven, waiting
from exchange.clearing.book import Book
from exchange.clearing.violations import Code

Damage = Callable[[Any], None]
Rejected = tuple[str, str, int, int]


@dataclass(frozen=True)
class Case:
    """One change of the good outcome and the codes it deserves."""

    name: str
    damage: Damage
    codes: frozenset[Code]
    required_welfare: int | None = None
    make_book: Callable[[], Book] = market
    rejected: list[Rejected] | None = None  # the paradoxically rejected blocks: (order, cell, start, surplus)

    def document(self) -> Any:
        """Return the damaged outcome."""
        outcome = {"outcome": good()}
        self.damage(outcome)
        return outcome["outcome"]


def put(path: str, value: object) -> Damage:
    """Return a damage that sets one place of the outcome."""

    def damage(outcome: Any) -> None:
        *steps, last = ["outcome", *path.split("/")] if path else ["outcome"]
        place = outcome
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = copy.deepcopy(value)

    return damage


def drop(path: str) -> Damage:
    """Return a damage that takes one member away."""

    def damage(outcome: Any) -> None:
        *steps, last = path.split("/")
        place = outcome["outcome"]
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        del place[int(last) if isinstance(place, list) else last]

    return damage


def trade(order: str, offer: str, t0: int, t1: int, qty: int) -> Damage:
    """Return a damage that adds a trade."""
    return lambda outcome: outcome["outcome"]["trades"].append(
        {"order": order, "offer": offer, "t0": t0, "t1": t1, "qty": qty}
    )


def all_of(*damages: Damage) -> Damage:
    """Return several damages as one."""

    def damage(outcome: Any) -> None:
        for one in damages:
            one(outcome)

    return damage


def nothing(outcome: Any) -> None:
    """Leave the outcome as it is."""


def cases() -> Iterator[Case]:
    """Yield every case; the first ones are good."""
    for names, damage, codes in (*_GOOD, *_FORMAT, *_TRADES, *_MONEY, *_STRICT):
        yield Case(names, damage, frozenset(codes))
    for attribute in LESS:
        for cell in (f"less {attribute}", f"no {attribute}"):
            yield Case(f"needs: {cell}", _moved_to(cell), frozenset({Code.NEEDS}))
    yield Case("needs: no metro", _moved_to("no metro"), frozenset({Code.NEEDS}))
    for name, welfare, bound, codes in _SUMS:
        yield Case(name, all_of(put("welfare", welfare), put("bound", bound)), frozenset(codes))
    yield Case("just enough welfare", nothing, frozenset(), required_welfare=WELFARE)
    yield Case("too little welfare", nothing, frozenset({Code.WELFARE}), required_welfare=WELFARE + 1)
    for name, damage, codes, rejected in _REJECTED:
        yield Case(name, damage, frozenset(codes), rejected=rejected)
    for name, document, codes, rejected in _UNEVEN:
        yield Case(name, put("", document), frozenset(codes), make_book=uneven, rejected=rejected)
    nobody: dict[str, Any] = {"prices": {}, "trades": []}
    yield Case(
        "nobody rejected where nothing is on offer", put("", nobody), frozenset(), make_book=waiting, rejected=[]
    )
    for t0, codes in ((0, set()), (1, {Code.WINDOW}), (2, set())):
        trade = {"order": "two", "offer": "a1", "t0": t0, "t1": t0 + 2, "qty": 1}
        outcome = {"prices": {"a": [[0, 4, 10]]}, "trades": [trade]}
        yield Case(f"start in slot {t0} of a grid of two", put("", outcome), frozenset(codes), make_book=gridded)


def _moved_to(cell: str) -> Damage:
    """Serve one lot of the hourly order from another cell."""
    return all_of(put("trades/1/qty", 2), trade("hours", f"of {cell}", 0, 2, 1), put(f"prices/{cell}", [[0, 4, 12]]))


_Row = tuple[str, Damage, set[Code]]
_GOOD: list[_Row] = [
    ("good", nothing, set()),
    ("good: run split in two", put("prices/b", [[0, 1, 12], [1, 4, 12]]), set()),
    ("good: runs in another order", put("prices/b", [[2, 4, 12], [0, 2, 12]]), set()),
    ("good: block handed over in its run", all_of(put("trades/0/t1", 1), trade("wide", "a1", 1, 2, 4)), set()),
]
_TRUTH: object = True  # an integer to Python, never to an outcome
_FORMAT: list[_Row] = [
    (name, damage, {Code.FORMAT})
    for name, damage in [
        ("no document", put("", None)),
        ("a list", put("", [])),
        ("a number", put("", 7)),
        ("nothing in it", put("", {})),
        ("no trades", drop("trades")),
        ("no prices", drop("prices")),
        ("unknown member", put("comment", "unknown")),
        ("welfare a float", put("welfare", 1.5)),
        ("bound a truth", put("bound", _TRUTH)),
        ("trades an object", put("trades", {})),
        ("trade a number", put("trades/0", 7)),
        ("trade with more", put("trades/0/note", 1)),
        ("trade without order", drop("trades/0/order")),
        ("trade without offer", drop("trades/0/offer")),
        ("trade without begin", drop("trades/0/t0")),
        ("trade without end", drop("trades/0/t1")),
        ("trade without quantity", drop("trades/0/qty")),
        ("unknown order", put("trades/0/order", "nobody")),
        ("order a list", put("trades/0/order", ["wide"])),
        ("unknown offer", put("trades/0/offer", "nobody")),
        ("offer a list", put("trades/0/offer", ["a1"])),
        ("begin a float", put("trades/0/t0", 0.0)),
        ("end a text", put("trades/0/t1", "2")),
        ("quantity a float", put("trades/0/qty", 4.0)),
        ("quantity a truth", put("trades/0/qty", _TRUTH)),
        ("quantity zero", put("trades/0/qty", 0)),
        ("trade of no length", put("trades/0/t1", 0)),
        ("trade backwards", put("trades/0/t1", -1)),
        ("price of a trade null", put("trades/0/price", None)),
        ("price of a trade negative", put("trades/0/price", -1)),
        ("prices a list", put("prices", [])),
        ("price of an unknown cell", put("prices/elsewhere", [[0, 1, 1]])),
        ("runs null", put("prices/a", None)),
        ("run a number", put("prices/a/0", 7)),
        ("run of two", put("prices/a/0", [0, 2])),
        ("run of no length", put("prices/b/0/1", 0)),
        ("run backwards", put("prices/b/0/1", -1)),
        ("runs overlap", put("prices/a/0/1", 3)),
        ("price negative", put("prices/a/0/2", -1)),
        ("price a float", put("prices/a/0/2", 20.0)),
        ("begin of a run a text", put("prices/a/0/0", "0")),
        ("end of a run a truth", put("prices/a/0/1", _TRUTH)),
    ]
]
_TRADES: list[_Row] = [
    ("more than the offer has", put("trades/1/qty", 7), {Code.OVERSELL, Code.FILL, Code.BUDGET}),
    ("more than 64 bits hold", put("trades/1/qty", 10**30), {Code.OVERSELL, Code.FILL, Code.BUDGET}),
    ("hourly at another level", all_of(put("trades/1/t1", 1), trade("hours", "b1", 1, 2, 2)), {Code.PR_BUY}),
    (
        "before the offer opens",
        all_of(put("trades/0/t0", -1), put("trades/0/t1", 1), put("prices/a/0/0", -1)),
        {Code.OVERSELL, Code.WINDOW},
    ),
    (
        "after the offer closes",
        all_of(put("trades/2/t0", 3), put("trades/2/t1", 5), put("prices/b/0/1", 5)),
        {Code.OVERSELL, Code.WINDOW},
    ),
    ("dear before cheap", put("trades/0/offer", "a2"), {Code.MERIT, Code.PR_SELL}),
    ("hourly after its window", put("trades/1/t1", 3), {Code.WINDOW, Code.BUDGET}),
    ("hourly above its maximum", put("trades/1/qty", 4), {Code.FILL, Code.BUDGET}),
    ("block too long", all_of(put("trades/0/t1", 3), drop("trades/0/price")), {Code.WINDOW}),
    ("block too short", put("trades/0/t0", 1), {Code.WINDOW}),
    ("block before its window", all_of(put("trades/2/t0", 1), put("trades/2/t1", 3)), {Code.WINDOW}),
    ("block in two pieces", all_of(put("trades/0/t1", 1), trade("wide", "a1", 3, 4, 4)), {Code.WINDOW}),
    ("block in one cell for one slot only", trade("split", "a1", 2, 3, 1), {Code.WINDOW}),
    (
        "block with another level",
        all_of(put("trades/0/qty", 3), trade("wide", "a2", 0, 1, 1)),
        {Code.LEVEL, Code.FILL, Code.MERIT, Code.PR_SELL},
    ),
    (
        "block with another level inside its quantities",
        all_of(put("trades/2/t1", 3), trade("split", "b1", 3, 4, 3)),
        {Code.LEVEL},
    ),
    ("block below its minimum", put("trades/2/qty", 1), {Code.FILL}),
    ("block above its maximum", put("trades/2/qty", 4), {Code.FILL}),
    ("block at its maximum", put("trades/2/qty", 3), set()),
    ("block over two cells", all_of(put("trades/2/qty", 1), trade("split", "a1", 2, 4, 1)), set()),
    (
        "single site over two cells",
        all_of(put("trades/0/qty", 2), trade("wide", "b1", 0, 2, 2)),
        {Code.SITE, Code.PR_SELL},
    ),
]
_MONEY: list[_Row] = [
    ("no price at all", drop("prices/b"), {Code.PRICE}),
    ("no price in a slot", put("prices/b", [[0, 1, 12], [2, 4, 12]]), {Code.PRICE}),
    ("another price in the trade", put("trades/0/price", 19), {Code.PRICE}),
    ("a price of zero in the trade", put("trades/0/price", 0), {Code.PRICE}),
    ("below the reserve", all_of(put("prices/b/0/2", 11), put("trades/2/price", 11)), {Code.IR_SELL}),
    (
        "above an hourly limit",
        all_of(put("prices/b", [[0, 1, 31], [2, 4, 12]]), put("trades/1/t1", 1), put("trades/1/qty", 2)),
        {Code.IR_BUY, Code.PR_SELL, Code.PR_BUY},
    ),
    (
        "at an hourly limit",
        all_of(put("prices/b", [[0, 1, 30], [2, 4, 12]]), put("trades/1/t1", 1), put("trades/1/qty", 2)),
        {Code.PR_SELL, Code.PR_BUY},
    ),
    ("above a block's limit", all_of(put("prices/a/0/2", 41), drop("trades/0/price")), {Code.IR_BUY, Code.PR_SELL}),
    ("at a block's limit", all_of(put("prices/a/0/2", 40), drop("trades/0/price")), {Code.PR_SELL}),
    (
        "above a block's limit in one slot, not on average",
        all_of(put("prices/a", [[0, 1, 60], [1, 2, 20], [2, 4, 10]]), drop("trades/0/price")),
        {Code.PR_SELL},
    ),
    (
        "above the budget by one slot",
        put("prices/b", [[0, 1, 12], [1, 2, 13], [2, 4, 12]]),
        {Code.BUDGET, Code.PR_SELL},
    ),
]
_STRICT: list[_Row] = [
    ("later of two equal offers", put("trades/0/offer", "a3"), {Code.MERIT, Code.TIE, Code.PR_SELL}),
    (
        "later of two equal offers at the margin",
        all_of(put("trades/1/qty", 2), trade("hours", "a3", 0, 1, 1)),
        {Code.TIE, Code.PR_BUY},
    ),
    (
        "earlier of two equal offers at the margin",
        all_of(put("trades/1/qty", 2), trade("hours", "a2", 0, 1, 1)),
        {Code.PR_BUY},
    ),
    ("spare supply below the price", put("prices/b", [[0, 2, 12], [2, 3, 13], [3, 4, 12]]), {Code.PR_SELL, Code.PRICE}),
    ("unmet hourly demand", put("trades/1/qty", 2), {Code.PR_BUY}),
    ("hourly demand left out in a slot", put("trades/1/t1", 1), {Code.PR_BUY}),
    (
        "unmet hourly demand at its limit, and below it only where it cannot buy",
        all_of(
            drop("trades/1"),
            put("prices", {"a": [[0, 2, 30]], "b": [[2, 4, 12]], "no metro": [[0, 4, 12]], "empty": [[0, 4, 1]]}),
            put("trades/0/price", 30),
        ),
        {Code.PR_SELL},
    ),
]
_REJECTED: list[tuple[str, Damage, set[Code], list[Rejected]]] = [
    ("nobody rejected", nothing, set(), []),
    ("nothing published", put("", {"prices": {}, "trades": []}), set(), []),
    (
        "rejected at no gain",
        all_of(drop("trades/2"), put("prices", {"a": [[0, 2, 20]], "b": [[0, 2, 12], [2, 4, 13]]})),
        set(),
        [],
    ),
    ("rejected at its best start", drop("trades/0"), set(), [("wide", "a", 2, 60)]),
    (
        "rejected where every slot has a price",
        all_of(drop("trades/0"), put("prices/a", [[0, 1, 1], [2, 3, 1]])),
        set(),
        [("wide", "b", 0, 56), ("late", "a", 2, 8)],
    ),
    (
        "rejected over many runs",
        all_of(drop("trades/0"), put("prices", {"b": [[slot, slot + 1, 12] for slot in range(4)]})),
        set(),
        [("wide", "b", 0, 56)],
    ),
    (
        "rejected inside its window",
        all_of(drop("trades/2"), put("prices/b", [[0, 2, 12], [2, 4, 3]])),
        set(),
        [("split", "b", 2, 20), ("late", "b", 2, 6)],
    ),
    (
        "rejected in the middle of its window, not before and not after it",
        put("prices/empty", [[0, 1, 1], [1, 2, 9], [2, 3, 8], [3, 4, 9], [4, 5, 1]]),
        set(),
        [("poor", "empty", 0, 12), ("late", "empty", 2, 1)],
    ),
    (
        "rejected in a cell that qualifies",
        all_of(drop("trades/0"), put("prices/no metro", [[0, 4, 1]])),
        set(),
        [("wide", "a", 2, 60)],
    ),
]
_SUMS: list[tuple[str, int, int, set[Code]]] = [
    ("right sums", WELFARE, WELFARE, set()),
    ("welfare claimed too high", WELFARE + 1, WELFARE + 1, {Code.WELFARE}),
    ("welfare claimed too low", WELFARE - 1, WELFARE, {Code.WELFARE}),
    ("bound below the welfare", WELFARE, WELFARE - 1, {Code.WELFARE}),
]


def _published(prices: dict[str, Any], *trades: tuple[str, int, int, int]) -> dict[str, Any]:
    """Return an outcome of trades of the hourly order: (offer, t0, t1, qty)."""
    rows = [{"order": "hours", "offer": offer, "t0": t0, "t1": t1, "qty": qty} for offer, t0, t1, qty in trades]
    return {"prices": prices, "trades": rows}


_UNEVEN: list[tuple[str, dict[str, Any], set[Code], list[Rejected]]] = [
    ("unmet in a window that nothing else cuts", _published({"a": [[0, 6, 5]]}), {Code.PR_BUY}, []),
    (
        "met where the price is below the limit, unmet where it is at the limit",
        _published({"a": [[0, 2, 9], [2, 3, 5], [3, 6, 9]]}, ("a1", 2, 3, 2), ("a2", 2, 3, 2)),
        set(),
        [],
    ),
    (
        "later of two equal offers in the first slot",
        _published({"a": [[0, 1, 5]]}, ("a2", 0, 1, 1)),
        {Code.WINDOW, Code.TIE},
        [],
    ),
    *(
        (f"rejected at {where}", _published(prices), {Code.PR_BUY}, [found])
        for where, prices, found in [
            ("the first of many starts", {"b": [[-200, -198, 1], [-198, 206, 4]]}, ("long", "b", -200, 6)),
            ("the last of many starts", {"b": [[-200, 204, 4], [204, 206, 1]]}, ("long", "b", 204, 6)),
            ("one among many", {"b": [[-200, 100, 4], [100, 103, 1], [103, 206, 4]]}, ("long", "b", 100, 6)),
            ("one inside its window", {"b": [[-202, -200, 0], [-200, 206, 3], [206, 208, 0]]}, ("long", "b", -200, 2)),
            ("the earlier one", {"a": [[0, 2, 3], [2, 6, 4]], "b": [[0, 2, 4], [2, 4, 3]]}, ("long", "a", 0, 2)),
            ("the earlier one, of b", {"b": [[0, 2, 3], [2, 6, 4]], "a": [[0, 2, 4], [2, 4, 3]]}, ("long", "b", 0, 2)),
            ("one of two cells", {"a": [[0, 2, 3], [2, 6, 4]], "b": [[0, 2, 3], [2, 6, 4]]}, ("long", "b", 0, 2)),
        ]
    ),
]
