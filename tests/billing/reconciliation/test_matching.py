"""Matching two lists of money: each pass by an example, and all of them against the slow reference."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.reconciliation import matching
from billing.reconciliation.matching import Bounds, Item
from tests.billing.reconciliation import slow_matching

DAY = date(2026, 5, 4)


def item(name: str, amount_minor: int, reference: str = "", day: int = 0, currency: str = "CNY") -> Item:
    return Item(name, currency, amount_minor, DAY + timedelta(days=day), reference)


def shown(left: list[Item], right: list[Item]) -> list[tuple[str, str, str]]:
    found = matching.match(left, right)
    return [
        (one.basis.value, "+".join(item.id for item in one.left), "+".join(item.id for item in one.right))
        for one in found.matches
    ]


def test_same_reference_amount_and_day_match_first() -> None:
    left = [item("a", 100, "R", day=1), item("b", 100, "R")]
    right = [item("x", 100, "R"), item("y", 100, "R", day=2)]
    assert shown(left, right) == [("exact", "b", "x"), ("reference", "a", "y")]


def test_the_same_reference_far_away_is_another_payment() -> None:
    found = matching.match([item("a", 100, "R")], [item("x", 100, "R", day=6)])
    assert found.matches == ()
    assert matching.guess(found.left_over[0], found.right_over) == "The other side has its reference 6 days away."


def test_one_amount_may_be_the_sum_of_several() -> None:
    right = [item("x", 40, "R"), item("y", 60, "R", day=1), item("z", 7, "R")]
    assert shown([item("a", 100, "R")], right) == [("split", "a", "x+y")]
    assert shown(right, [item("a", 107, "R")]) == [("merged", "x+z+y", "a")]


def test_two_ways_of_adding_up_are_a_question_for_a_person() -> None:
    right = [item("x", 40, "R"), item("y", 60, "R"), item("z", 60, "R")]
    found = matching.match([item("a", 100, "R")], right)
    assert found.matches == ()
    assert "3 items on the other side have its reference" in matching.guess(found.left_over[0], found.right_over)


def test_all_items_of_a_reference_are_added_however_many() -> None:
    right = [item(f"x{n:03d}", 1 + n, "po_1") for n in range(200)]
    ((basis, left, _),) = shown([item("a", sum(range(1, 201)), "po_1")], right)
    assert (basis, left) == ("split", "a")


def test_an_amount_alone_matches_only_where_nothing_else_fits() -> None:
    assert shown([item("a", 5)], [item("x", 5, "?", day=3)]) == [("amount", "a", "x")]
    assert shown([item("a", 5)], [item("x", 5), item("y", 5)]) == []
    assert shown([item("a", 5), item("b", 5)], [item("x", 5)]) == []
    assert shown([item("a", 5)], [item("x", 5, currency="USD")]) == []


def test_a_match_and_a_left_over_say_why() -> None:
    found = matching.match(
        [item("a", 100, "R"), item("b", 3, "Q"), item("c", 8)], [item("x", 100, "R"), item("y", 5, "Q")]
    )
    assert [one.reason for one in found.matches] == ["Same reference R, amount and day."]
    assert [matching.guess(one, found.right_over) for one in found.left_over] == [
        "The other side has its reference with +2 minor units.",
        "Nothing on the other side has its reference or its amount.",
    ]


items = st.builds(
    Item,
    id=st.just(""),
    currency=st.sampled_from(["CNY", "USD"]),
    amount_minor=st.integers(-3, 6).filter(bool),
    on=st.integers(0, 4).map(lambda day: DAY + timedelta(days=day)),
    reference=st.sampled_from(["", "R", "Q"]),
)
lists = st.lists(items, max_size=9)


@given(lists, lists, st.integers(0, 3), st.integers(2, 4), st.integers(2, 6))
def test_it_is_what_the_slow_reference_says(
    left: list[Item], right: list[Item], window: int, parts: int, candidates: int
) -> None:
    left = [replace(one, id=f"l{n}") for n, one in enumerate(left)]
    right = [replace(one, id=f"r{n}") for n, one in enumerate(right)]
    bounds = Bounds(window, parts, candidates)
    found = matching.match(left, right, bounds)
    pairs = [(one.basis, tuple(i.id for i in one.left), tuple(i.id for i in one.right)) for one in found.matches]
    slow, left_over, right_over = slow_matching.match(left, right, bounds)
    assert sorted(pairs) == sorted(slow)
    assert ([i.id for i in found.left_over], [i.id for i in found.right_over]) == (left_over, right_over)
    for one in found.matches:
        assert sum(i.amount_minor for i in one.left) == sum(i.amount_minor for i in one.right)
    # The order in which the lists come changes nothing.
    assert matching.match(left[::-1], right[::-1], bounds) == found
