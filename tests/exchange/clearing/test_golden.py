"""The golden corpus: what the engine once reached on a book it has to reach again."""

from dataclasses import replace

import pytest

from benchmarks.clearing import golden
from benchmarks.clearing.golden import Golden
from exchange.clearing import engine, verify
from exchange.clearing.violations import Code

QUICK = [row for name, row in golden.corpus().items() if golden.is_quick(name)]
EMPTY: dict[str, object] = {"prices": {}, "trades": []}


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_a_golden_book_reaches_its_welfare_within_its_bound(row: Golden) -> None:
    book = row.book()

    assert golden.faults(row, book, engine.clear(book)) == []


def test_the_quick_books_have_the_bytes_of_the_present_engine() -> None:
    # After another version: python -m benchmarks.clearing.golden --quick --store
    assert {row.engine for row in QUICK} == {engine.engine_version()}
    changed = replace(QUICK[0], outcome="0" * 64)
    (fault,) = golden.faults(changed, changed.book(), engine.clear(changed.book()))
    assert "a change of them is another version" in str(fault)


def test_the_corpus_holds_its_books_in_order_and_all_the_quick_ones() -> None:
    stored = golden.corpus()

    assert list(stored) == [name for name in golden.names() if name in stored]
    assert {name for name in golden.names() if golden.is_quick(name)} <= set(stored)
    assert all(0 <= row.required <= row.best <= row.bound for row in stored.values())


def test_an_empty_outcome_fails_every_golden_book_in_which_anything_can_be_gained() -> None:
    demanding = [row for row in QUICK if row.required]
    for row in demanding:
        report = verify.verify(row.book(), EMPTY, required_welfare=row.required)
        assert [violation.code for violation in report.hard] == [Code.WELFARE]

    assert len(demanding) > 20
