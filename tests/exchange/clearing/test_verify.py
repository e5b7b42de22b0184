"""The verifier: a good outcome passes, each damage is called by its name, and every rule is needed for that."""

import copy
import importlib
import json

import pytest

from benchmarks.books import recipe
from benchmarks.clearing import damages, mutation
from benchmarks.clearing.damages import Case
from exchange.clearing import engine, verify
from exchange.clearing.violations import STRICT_CODES, Code


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
    report = verify.verify(damages.market(), case.document())

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
