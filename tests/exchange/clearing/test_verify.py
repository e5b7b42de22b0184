"""The verifier: a good outcome passes, each damage is called by its name, and every rule is needed for that."""

import copy
import importlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import recipe, tiny
from benchmarks.books.dice import Dice
from benchmarks.clearing import damages, mutation, undamaged
from benchmarks.clearing.damages import Case
from exchange.clearing import engine, verify, verify_rejected
from exchange.clearing.book import Book
from exchange.clearing.violations import STRICT_CODES, Code
from tests.exchange.clearing import plain_verifier


@pytest.mark.parametrize("case", list(damages.cases()), ids=lambda case: case.name)
def test_an_outcome_gets_exactly_the_codes_that_it_deserves(case: Case) -> None:
    report = verify.verify(case.make_book(), case.document(), required_welfare=case.required_welfare)

    assert {violation.code for violation in report.violations} == case.codes
    if case.rejected is not None:
        assert [
            (found.order, found.cell, found.start, found.surplus) for found in report.rejected_blocks
        ] == case.rejected


def test_every_code_has_a_damage_that_deserves_it() -> None:
    assert {code for case in damages.cases() for code in case.codes} == set(Code)


def test_a_verifier_without_any_one_of_its_rules_is_found_out() -> None:
    judged = list(mutation.judged(lambda mutant: mutant.removes_a_rule))

    assert len(judged) > 30
    assert [str(mutant) for mutant, case in judged if case is None and mutant.what not in mutation.EQUIVALENT] == []


def test_the_verifier_is_the_real_one_again_after_a_mutant() -> None:
    mutant = next(mutation.mutants())
    with mutation.installed(mutant) as verifier:
        assert verifier is not verify
    assert mutation.catches(verify) is None
    assert importlib.import_module(mutation.ENTRY) is verify


def test_strict_codes_are_apart_from_hard_ones() -> None:
    case = next(case for case in damages.cases() if case.name == "at a block's limit")
    report = verify.verify(undamaged.market(), case.document())

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


def test_numbers_are_64_bits_wide_exactly_where_no_sum_can_pass_them() -> None:
    book = undamaged.market()

    def kind(qty: int) -> type:
        document = undamaged.good()
        document["trades"][0]["qty"] = qty
        claim, _ = verify.read(book, document)
        return claim.kind

    assert kind(4) is np.int64
    assert kind(2**40) is np.int64
    assert kind(2**61) is object


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6), st.booleans())
def test_the_columns_find_what_looking_at_each_slot_finds(family: str, seed: int, huge: bool) -> None:
    book, dice = tiny.book(family, seed), Dice(seed)
    document = json.loads(engine.clear(book).outcome.canonical_bytes())
    for _ in range(6):
        broken = copy.deepcopy(document)
        for _ in range(dice.between(1, 3)):
            damage(broken, book, dice, by=10 ** dice.between(15, 30) if huge else 1)
        claim, faults = verify.read(book, broken)
        if faults:
            continue
        found, plain = verify.verify(book, broken), plain_verifier.findings(claim)

        assert sorted(map(str, found.violations)) == sorted(map(str, plain.violations))
        assert found.rejected_blocks == plain.rejected_blocks
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(verify_rejected, "LARGEST", 1)
            assert verify.verify(book, broken).rejected_blocks == plain.rejected_blocks


def damage(document: dict[str, Any], book: Book, dice: Dice, *, by: int) -> None:
    """Change one number, name or row of an outcome."""
    trades = document["trades"]
    runs = [run for of_cell in document["prices"].values() for run in of_cell]
    kind = dice.below(4)
    if kind == 0 and runs:
        dice.pick(runs)[dice.below(3)] += dice.pick((-1, by))
    elif kind == 1 and trades:
        trades.pop(dice.below(len(trades)))
    elif kind == 2 and trades:
        trades.append(dice.pick(trades) | {"order": dice.pick(book.orders).id, "offer": dice.pick(book.offers).id})
    elif trades:
        dice.pick(trades)[dice.pick(("t0", "t1", "qty", "price"))] += dice.pick((-1, by))
