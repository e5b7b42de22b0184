"""The verifier: a good outcome passes, and each damage is called by its name."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.books import recipe
from exchange.clearing import engine, parsing, verify
from exchange.clearing.book import Book, Needs
from exchange.clearing.violations import STRICT_CODES, Code
from tests.exchange.clearing.cast import block, cell, hourly, offer

Damage = Callable[[Any], None]


def market() -> Book:
    """Return a book in which every rule has something to bite on."""
    return parsing.make_book(
        cells=[cell("a", mem_gb=80), cell("b", mem_gb=80), cell("small", mem_gb=16)],
        offers=[
            offer("a1", cell="a", seq=1, t1=4, qty=4, reserve=10),
            offer("a2", cell="a", seq=2, t1=4, qty=4, reserve=20),
            offer("a3", cell="a", seq=3, t1=4, qty=4, reserve=20),
            offer("b1", cell="b", seq=4, t1=4, qty=6, reserve=12),
            offer("s1", cell="small", seq=5, t1=4, qty=4, reserve=1),
        ],
        orders=[
            block("wide", seq=6, t1=4, hours=2, qty=4, limit=40, single_site=True, needs=Needs(min_mem_gb=80)),
            hourly("hours", seq=7, t1=2, qty=3, limit=30, buyer="capped", needs=Needs(min_mem_gb=80)),
            block("poor", seq=8, t1=2, qty=2, limit=11, needs=Needs(min_mem_gb=80)),
        ],
        budgets={"capped": 1_000},
    )


def good() -> dict[str, Any]:
    """Return a legal and strict outcome of that market, written by hand."""
    return {
        "prices": {"a": [[0, 2, 20], [2, 4, 10]], "b": [[0, 4, 12]]},
        "trades": [
            {"order": "wide", "offer": "a1", "t0": 0, "t1": 2, "qty": 4, "price": 20},
            {"order": "hours", "offer": "b1", "t0": 0, "t1": 2, "qty": 3},
        ],
        "welfare": 2 * 4 * (40 - 10) + 2 * 3 * (30 - 12),
        "bound": 400,
    }


def put(path: str, value: object) -> Damage:
    """Return a damage that sets one place of the outcome."""

    def damage(outcome: Any) -> None:
        *steps, last = path.split("/")
        place = outcome
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = value

    return damage


def trade(order: str, offer_id: str, t0: int, t1: int, qty: int) -> Damage:
    """Return a damage that adds a trade."""
    return lambda outcome: outcome["trades"].append({"order": order, "offer": offer_id, "t0": t0, "t1": t1, "qty": qty})


def all_of(*damages: Damage) -> Damage:
    """Return several damages as one."""

    def damage(outcome: Any) -> None:
        for one in damages:
            one(outcome)

    return damage


def codes_of(document: object) -> set[Code]:
    """Return the codes that the verifier finds."""
    return {violation.code for violation in verify.verify(market(), document).violations}


def test_the_good_outcome_passes() -> None:
    assert codes_of(good()) == set()


DAMAGES = [
    (Code.FORMAT, put("trades/0/qty", 4.0)),
    (Code.FORMAT, put("trades/0/qty", True)),
    (Code.FORMAT, put("trades/0/qty", 0)),
    (Code.FORMAT, put("trades/0/t1", 0)),
    (Code.FORMAT, put("trades/0/order", "nobody")),
    (Code.FORMAT, put("trades/0/offer", ["a1"])),
    (Code.FORMAT, put("trades/0/price", None)),
    (Code.FORMAT, put("trades/0", 7)),
    (Code.FORMAT, put("trades", {})),
    (Code.FORMAT, put("prices/a/0/2", -1)),
    (Code.FORMAT, put("prices/a/0/1", 3)),
    (Code.FORMAT, put("prices/a/0/1", 0)),
    (Code.FORMAT, put("prices/a/0", [0, 2])),
    (Code.FORMAT, put("prices/a", None)),
    (Code.FORMAT, put("prices/elsewhere", [[0, 1, 1]])),
    (Code.FORMAT, put("welfare", 1.5)),
    (Code.FORMAT, put("comment", "unknown")),
    (Code.OVERSELL, put("trades/1/qty", 7)),
    (Code.OVERSELL, all_of(put("trades/1/t1", 5), put("prices/b/0/1", 5))),
    (Code.NEEDS, all_of(put("trades/1/offer", "s1"), put("prices/small", [[0, 4, 12]]))),
    (Code.WINDOW, put("trades/1/t1", 3)),
    (Code.WINDOW, put("trades/0/t1", 3)),
    (Code.WINDOW, put("trades/0/t0", 1)),
    (Code.WINDOW, all_of(put("trades/0/t1", 1), trade("wide", "a1", 2, 3, 4))),
    (Code.LEVEL, all_of(put("trades/0/qty", 3), trade("wide", "a2", 0, 1, 1))),
    (Code.FILL, put("trades/0/qty", 3)),
    (Code.FILL, put("trades/1/qty", 4)),
    (Code.SITE, all_of(put("trades/0/qty", 2), trade("wide", "b1", 0, 2, 2))),
    (Code.PRICE, put("prices/b", [])),
    (Code.PRICE, put("prices/b", [[0, 1, 12], [2, 4, 12]])),
    (Code.PRICE, put("trades/0/price", 19)),
    (Code.IR_SELL, put("prices/b/0/2", 11)),
    (Code.IR_BUY, put("prices/b/0/2", 31)),
    (Code.IR_BUY, all_of(put("prices/a/0/2", 41), put("trades/0/price", 41))),
    (Code.BUDGET, put("prices/b/0/2", 167)),
    (Code.MERIT, put("trades/0/offer", "a2")),
    (Code.WELFARE, put("welfare", 1)),
    (Code.WELFARE, put("bound", 1)),
    (Code.TIE, put("trades/0/offer", "a3")),
    (Code.PR_SELL, put("prices/b/0/2", 13)),
    (Code.PR_BUY, put("trades/1/qty", 2)),
]


@pytest.mark.parametrize(("code", "damage"), DAMAGES)
def test_each_damage_is_called_by_its_code(code: Code, damage: Damage) -> None:
    broken = copy.deepcopy(good())
    damage(broken)

    assert code in codes_of(broken)


def test_every_code_has_a_damage() -> None:
    assert {code for code, _ in DAMAGES} == set(Code)


@pytest.mark.parametrize("document", [None, [], 7, "", {}, {"prices": {}}])
def test_what_is_no_outcome_at_all_is_a_format_fault(document: object) -> None:
    assert codes_of(document) == {Code.FORMAT}


def test_an_outcome_below_the_required_welfare_is_called_so() -> None:
    report = verify.verify(market(), good(), required_welfare=349)

    assert [violation.code for violation in report.hard] == [Code.WELFARE]
    assert verify.verify(market(), good(), required_welfare=348).hard == ()


def test_an_unfilled_block_that_would_gain_is_listed_at_its_best_start() -> None:
    outcome = good()
    outcome["prices"]["b"] = [[0, 2, 12], [2, 4, 3]]
    outcome["trades"] = []
    outcome |= {"welfare": 0}

    rejected = verify.verify(market(), outcome).rejected_blocks

    assert [(found.order, found.cell, found.start, found.surplus) for found in rejected] == [("wide", "b", 2, 74)]


def test_strict_codes_are_apart_from_hard_ones() -> None:
    broken = copy.deepcopy(good())
    put("prices/b/0/2", 13)(broken)
    report = verify.verify(market(), broken)

    assert {violation.code for violation in report.strict} == {Code.PR_SELL}
    assert report.hard == ()
    assert frozenset({Code.TIE, Code.PR_SELL, Code.PR_BUY}) == STRICT_CODES


def test_every_single_slot_damage_to_a_real_outcome_is_noticed() -> None:
    book = recipe.book(recipe.Size(orders=60, offers=14, slots=24), 2)
    document = json.loads(engine.clear(book).outcome.canonical_bytes())
    assert verify.verify(book, document).violations == ()
    for place in range(len(document["trades"])):
        for field, change in (("qty", 1), ("qty", -1), ("t0", -1), ("t1", 1), ("price", 1)):
            broken = copy.deepcopy(document)
            broken["trades"][place][field] += change
            assert verify.verify(book, broken).hard, (place, field, change)
