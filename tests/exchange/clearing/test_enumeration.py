"""Trying every allocation in integers, as the engine does where floats are blind, against the independent reference."""

from dataclasses import replace

import pytest

from benchmarks.books import tiny
from benchmarks.clearing.campaign import judge
from benchmarks.clearing.reference import TooLarge
from exchange.clearing import engine, parsing
from exchange.clearing.book import Book, Order
from exchange.clearing.limits import DEFAULT
from tests.exchange.clearing import cast

ALWAYS = replace(DEFAULT, float_ticks=0, enumeration_steps=2_000_000)


def method(book: Book, *, steps: int = DEFAULT.enumeration_steps) -> str:
    return engine.clear(book, limits=replace(DEFAULT, enumeration_steps=steps)).stats.method


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_enumeration_in_place_of_the_solver_reaches_the_best_strict_welfare(family: str) -> None:
    faults, methods = {}, set()
    for seed in range(2_000, 2_025):
        try:
            judgement = judge(tiny.book(family, seed), limits=ALWAYS)
        except TooLarge:
            continue
        methods.add(judgement.method)
        if judgement.faults:
            faults[seed] = judgement.faults

    assert faults == {}
    assert "enumeration" in methods


@pytest.mark.parametrize("top", [2**53, 2**62])
def test_of_two_limits_that_are_one_float_the_higher_one_buys(top: int) -> None:
    rivals: list[Order] = [
        cast.block("B1", qty=1, t1=2, limit=top),
        cast.block("B2", qty=1, t1=2, limit=top + 1),
    ]
    book = parsing.make_book(cells=[cast.cell()], offers=[cast.offer("S1", qty=1, t1=2, reserve=1)], orders=rivals)

    result = engine.clear(book)

    assert result.stats.method == "enumeration"
    assert result.outcome.welfare == 2 * top
    assert {trade.order for trade in result.outcome.trades} == {"B2"}


def test_books_with_ordinary_prices_are_left_to_the_solver() -> None:
    assert method(cast.paradox()) != "enumeration"


def test_an_enumeration_that_takes_too_many_steps_gives_way_to_the_solver() -> None:
    book = parsing.make_book(
        cells=[cast.cell()],
        offers=[cast.offer("S1", qty=4, t1=2, reserve=1)],
        orders=[cast.block(f"B{rank}", qty=1, t1=2, limit=2**53 + rank) for rank in range(6)],
    )

    assert method(book) == "enumeration"
    assert method(book, steps=3) == "welfare"
