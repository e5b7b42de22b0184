"""The references that payers quote."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.foundation import ids
from billing.payments import rules

IDS = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))


@given(IDS)
def test_a_reference_is_found_again_however_the_bank_spells_it(top_up_id: UUID) -> None:
    reference = rules.reference(top_up_id)
    assert rules.references_in(f"for compute {reference} thank you") == [reference]
    assert rules.references_in(reference.lower()) == [reference]
    assert rules.references_in(reference.replace("-", " ")) == [reference]
    assert rules.references_in(reference.replace("-", "")) == [reference]


@given(IDS, st.integers(3, 14), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_single_wrong_symbol_is_noticed(top_up_id: UUID, position: int, symbol: str) -> None:
    reference = rules.reference(top_up_id)
    wrong = reference[:position] + symbol + reference[position + 1 :]
    if wrong != reference and reference[position] != "-":
        assert reference not in rules.references_in(wrong)
        assert rules.references_in(wrong) == []


@given(IDS, st.integers(3, 6))
def test_two_swapped_symbols_are_noticed(top_up_id: UUID, position: int) -> None:
    reference = rules.reference(top_up_id)
    first, second = reference[position], reference[position + 1]
    wrong = reference[:position] + second + first + reference[position + 2 :]
    if first != second:
        assert rules.references_in(wrong) == []


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    assert all(found in rules.references_in(found) for found in rules.references_in(text))


def test_several_references_are_found_once_each() -> None:
    first, second = rules.reference(ids.new_id()), rules.reference(ids.new_id())
    assert rules.references_in(f"{first} {second} {first}") == [first, second]


@pytest.mark.parametrize("text", ["", "CX", "CX-12345", "CX-UUUUU-UUUUU-0", "\x00", "CX-１２３４５-12345-0"])
def test_what_is_no_reference_is_not_taken_for_one(text: str) -> None:
    assert rules.references_in(text) == []
