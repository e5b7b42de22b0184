"""The engine on tiny books against trying every allocation: every rule, and the best strict welfare, exactly."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import tiny
from benchmarks.clearing.campaign import judge
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing import parsing
from tests.exchange.clearing import cast

CORPUS = sorted(Path(__file__).with_name("corpus").glob("*.json"))


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_sample_of_each_family_reaches_the_best_strict_welfare_within_every_rule(family: str) -> None:
    faults = {}
    for seed in range(25):
        try:
            judgement = judge(tiny.book(family, seed))
        except TooLarge:
            continue
        if judgement.faults:
            faults[seed] = judgement.faults

    assert faults == {}


@given(st.sampled_from(tiny.FAMILIES), st.integers(10**6, 10**9))
def test_a_random_tiny_book_reaches_the_best_strict_welfare_within_every_rule(family: str, seed: int) -> None:
    try:
        judgement = judge(tiny.book(family, seed))
    except TooLarge:
        return

    assert judgement.faults == ()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_book_that_once_broke_the_engine_does_not_break_it_again(path: Path) -> None:
    assert judge(parsing.parse_book(path.read_bytes())).faults == ()


def test_the_enumeration_knows_the_paradox() -> None:
    enumeration = Enumeration(cast.paradox())

    assert enumeration.best(Prices.FREE) == 5
    assert enumeration.best(Prices.LEGAL) == 0
    assert enumeration.best(Prices.STRICT) == 0


def test_the_enumeration_agrees_with_the_story_in_small() -> None:
    book = parsing.make_book(
        cells=[cast.cell()],
        offers=[cast.offer("S1", qty=2, t1=2, reserve=8), cast.offer("S2", qty=2, t1=2, reserve=10)],
        orders=[cast.block("B1", qty=2, t1=2, limit=12), cast.hourly("B2", qty=1, t1=2, limit=11)],
    )

    assert Enumeration(book).best(Prices.STRICT) == 2 * 2 * 12 + 2 * 11 - 2 * 2 * 8 - 2 * 10
