"""Reading books: what is refused, where, and that one book has one spelling."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import tiny
from benchmarks.books.dice import Dice
from exchange.clearing import book as books
from exchange.clearing import parsing
from exchange.clearing.errors import BookError
from tests.exchange.clearing.cast import story


def document() -> dict[str, Any]:
    """Return a full book document, as a fresh object."""
    loaded: dict[str, Any] = json.loads(
        """
        {"grid": 4,
         "cells": [{"id": "c1", "site": "fra1",
          "attrs": {"model": "H100", "mem_gb": 80, "tflops": 990, "region": "eu-de", "green_pct": 80,
                    "security": 2, "interconnect": "ib", "latency_ms": {"berlin": 9}}}],
         "offers": [{"id": "s1", "provider": "p1", "cell": "c1", "t0": 0, "t1": 24, "qty": 64,
                     "reserve": 1500000, "seq": 1}],
         "orders": [{"id": "b1", "buyer": "u1", "seq": 7, "kind": "block", "qmin": 8, "qmax": 16,
                     "limit": 2500000, "hours": 4, "earliest": 0, "latest": 24, "single_site": true,
                     "needs": {"model": ["H100", "H200"], "min_mem_gb": 80, "min_tflops": 900,
                               "region": ["eu-de"], "min_green_pct": 50, "min_security": 2,
                               "interconnect": ["ib"], "max_latency": {"metro": "berlin", "ms": 20}}}],
         "budgets": {"u1": 900000000}}
        """
    )
    return loaded


def refusal(source: bytes | str) -> BookError:
    """Return the error of reading a document that must be refused."""
    with pytest.raises(BookError) as caught:
        parsing.parse_book(source)
    return caught.value


def test_a_full_document_survives_a_round_trip() -> None:
    book = parsing.parse_book(json.dumps(document()))

    assert json.loads(book.canonical_bytes()) == document()
    assert parsing.parse_book(book.canonical_bytes()) == book


def at(value: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/offers/0/qty", 0),
        ("/offers/0/qty", 1.0),
        ("/offers/0/qty", True),
        ("/offers/0/qty", "64"),
        ("/offers/0/qty", None),
        ("/offers/0/reserve", -1),
        ("/offers/0/reserve", 2**63),
        ("/offers/0/t1", 0),
        ("/offers/0/t1", 23),
        ("/offers/0/cell", "c2"),
        ("/offers/0/id", ""),
        ("/offers/0/id", "a\x00b"),
        ("/offers/0/seq", 2**70),
        ("/orders/0/kind", "hour"),
        ("/orders/0/kind", ["block"]),
        ("/orders/0/qmin", 17),
        ("/orders/0/qmin", 0),
        ("/orders/0/hours", 28),
        ("/orders/0/hours", 3),
        ("/orders/0/hours", 0),
        ("/orders/0/latest", 0),
        ("/orders/0/earliest", 1),
        ("/orders/0/single_site", 1),
        ("/orders/0/needs/model", "H100"),
        ("/orders/0/needs/model/0", 1),
        ("/orders/0/needs/min_mem_gb", 80.5),
        ("/orders/0/needs/max_latency/ms", True),
        ("/orders/0/needs/max_latency", 20),
        ("/orders/0/needs", []),
        ("/cells/0/attrs/latency_ms/berlin", 9.5),
        ("/cells/0/attrs/model", 100),
        ("/budgets/u1", -1),
        ("/grid", 0),
        ("/cells", {}),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(pointer: str, value: object) -> None:
    wrong = document()
    parent, last = pointer.rsplit("/", 1)
    place = at(wrong, parent)
    place[int(last) if isinstance(place, list) else last] = value

    error = refusal(json.dumps(wrong))

    assert error.pointer == pointer
    assert error.expected
    assert error.value


@pytest.mark.parametrize("literal", ["64.0", "1e3", "NaN", "Infinity", "-Infinity", "9" * 30])
def test_a_number_that_is_no_64_bit_integer_is_refused_with_its_place(literal: str) -> None:
    source = json.dumps(document()).replace('"qty": 64', f'"qty": {literal}')

    assert refusal(source).pointer == "/offers/0/qty"


@pytest.mark.parametrize(("place", "key"), [("/orders/0/needs", "x/y"), ("/orders/0/needs/max_latency", "hops")])
def test_an_unknown_need_is_refused(place: str, key: str) -> None:
    wrong = document()
    at(wrong, place)[key] = 1

    assert refusal(json.dumps(wrong)).pointer == f"{place}/{key.replace('/', '~1')}"


@pytest.mark.parametrize("place", ["", "/cells/0", "/cells/0/attrs", "/offers/0", "/orders/0"])
@pytest.mark.parametrize("note", [1, 0.98, None, {"a": [1.5]}, "text"])
def test_a_member_that_the_format_does_not_name_is_ignored(place: str, note: object) -> None:
    noted = document()
    at(noted, place)["note"] = note

    assert parsing.parse_book(json.dumps(noted)) == parsing.parse_book(json.dumps(document()))


@pytest.mark.parametrize("key", ["cells", "offers", "orders"])
def test_a_missing_section_is_refused(key: str) -> None:
    wrong = document()
    del wrong[key]

    assert refusal(json.dumps(wrong)).pointer == f"/{key}"


def test_a_duplicate_key_is_refused() -> None:
    source = json.dumps(document()).replace('"berlin": 9', '"berlin": 9, "berlin": 8')

    assert "duplicate key 'berlin'" in str(refusal(source))


@pytest.mark.parametrize("section", ["cells", "offers", "orders"])
def test_a_duplicate_id_is_refused(section: str) -> None:
    wrong = document()
    wrong[section].append(wrong[section][0])

    assert refusal(json.dumps(wrong)).pointer == f"/{section}/1/id"


@pytest.mark.parametrize(
    "source", [b"", b"[", b"\xff", b"\xef\xbb\xbf{}", "[" * 100_000, '"' * 99, "{}x", "null", "\ud800"]
)
def test_what_is_no_book_at_all_is_refused(source: bytes | str) -> None:
    assert refusal(source).pointer in {"", "/cells"}


def test_a_lone_surrogate_is_refused() -> None:
    source = json.dumps(document()).replace('"u1", "seq"', '"\\ud800", "seq"')

    assert refusal(source).pointer == "/orders/0/buyer"


def test_an_hourly_order_ignores_minimum_fill_and_hours() -> None:
    hourly = document()
    hourly["orders"][0] |= {"kind": "hourly", "qmin": 99, "hours": 77}
    plain = document()
    plain["orders"][0] |= {"kind": "hourly"}
    del plain["orders"][0]["qmin"], plain["orders"][0]["hours"]

    empty = document()
    empty["orders"][0] |= {"kind": "hourly", "qmin": None, "hours": None}

    assert parsing.parse_book(json.dumps(hourly)) == parsing.parse_book(json.dumps(plain))
    assert parsing.parse_book(json.dumps(empty)) == parsing.parse_book(json.dumps(plain))


def test_an_hourly_order_may_not_hide_a_float_in_what_it_ignores() -> None:
    hourly = document()
    hourly["orders"][0] |= {"kind": "hourly", "hours": 4.0}

    assert refusal(json.dumps(hourly)).pointer == "/orders/0/hours"


@given(st.integers(0, 10_000), st.sampled_from(tiny.FAMILIES))
def test_the_digest_does_not_depend_on_the_order_of_rows(seed: int, family: str) -> None:
    book, dice = tiny.book(family, seed), Dice(seed)
    shuffled = books.Book(
        cells=tuple(dice.shuffled(book.cells)),
        offers=tuple(dice.shuffled(book.offers)),
        orders=tuple(dice.shuffled(book.orders)),
        budgets=dict(dice.shuffled(list(book.budgets.items()))),
        grid=book.grid,
    )

    assert books.digest(shuffled) == books.digest(book)
    assert parsing.parse_book(json.dumps(shuffled.to_document())) == book


def test_any_change_of_a_book_changes_its_digest() -> None:
    changed = story().to_document()
    orders: Any = changed["orders"]
    orders[0]["limit"] += 1

    assert books.digest(parsing.read_book(changed)) != books.digest(story())


def test_keys_are_written_in_utf16_order_and_large_integers_in_full() -> None:
    book = parsing.make_book(cells=[], offers=[], orders=[], budgets={"\uffee": 1, "\U0001f600": 2**63 - 1})

    assert book.canonical_bytes().decode() == (
        '{"budgets":{"\U0001f600":9223372036854775807,"\uffee":1},"cells":[],"grid":1,"offers":[],"orders":[]}'
    )
