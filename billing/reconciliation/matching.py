"""Which items of two lists are the same money: pure, deterministic, and able to say why.

Passes, from the surest to the least sure; what one has taken no later one sees:

1. exact: same currency, reference, amount and day;
2. reference: same currency, reference and amount, at most `window_days` apart, the earliest first;
3. split: one item on the left is the sum of several on the right with its reference, within the window;
4. merged: several on the left are the sum of one on the right, likewise;
5. amount: same currency and amount within the window where nothing else on either side would fit as well.

A sum counts when all items of the window add up, or when exactly one choice of at most `parts` among at most
`candidates` of them does; two choices are a question for a person. Items without a reference are left to the last pass.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations
from typing import Final


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list: an amount in minor units on a day, with what it refers to (empty when nothing)."""

    id: str
    currency: str
    amount_minor: int
    on: date
    reference: str = ""


class Basis(StrEnum):
    """What a match rests on."""

    EXACT = "exact"
    REFERENCE = "reference"
    SPLIT = "split"
    MERGED = "merged"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Match:
    """Items that are the same money: one on each side, or one on one side and several on the other."""

    basis: Basis
    left: tuple[Item, ...]
    right: tuple[Item, ...]

    @property
    def reason(self) -> str:
        """Why they belong together, in a sentence."""
        one = (self.left if len(self.left) == 1 else self.right)[0]
        apart = max(abs((a.on - b.on).days) for a in self.left for b in self.right)
        days = "on the same day" if apart == 0 else f"at most {apart} days apart"
        return {
            Basis.EXACT: f"Same reference {one.reference}, amount and day.",
            Basis.REFERENCE: f"Same reference {one.reference} and amount, {days}.",
            Basis.SPLIT: f"{len(self.right)} items with reference {one.reference} add up to it, {days}.",
            Basis.MERGED: f"{len(self.left)} items with reference {one.reference} add up to it, {days}.",
            Basis.AMOUNT: f"Same amount, {days}, and nothing else would fit.",
        }[self.basis]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far apart items may lie, and how hard to look for sums."""

    window_days: int = 5
    parts: int = 6
    candidates: int = 10


DEFAULT_BOUNDS: Final = Bounds()


@dataclass(frozen=True)
class Matching:
    """Every item of both lists once: in a match, or left over. All in a fixed order."""

    matches: tuple[Match, ...]
    left_over: tuple[Item, ...]
    right_over: tuple[Item, ...]


Key = tuple[object, ...]


def match(left: Iterable[Item], right: Iterable[Item], bounds: Bounds = DEFAULT_BOUNDS) -> Matching:
    """Match two lists whose ids are unique on each side."""
    lefts, rights = sorted(left, key=_order), sorted(right, key=_order)
    assert len({item.id for item in lefts}) == len(lefts), "ids on the left are unique"
    assert len({item.id for item in rights}) == len(rights), "ids on the right are unique"
    found: list[Match] = []
    for one_pass in (_exact, _by_reference, _split, _merged, _by_amount):
        new = one_pass(lefts, rights, bounds)
        if new:
            found += new
            taken_left = {item.id for one in new for item in one.left}
            taken_right = {item.id for one in new for item in one.right}
            lefts = [item for item in lefts if item.id not in taken_left]
            rights = [item for item in rights if item.id not in taken_right]
    return Matching(tuple(found), tuple(lefts), tuple(rights))


def guess(item: Item, others: Sequence[Item]) -> str:
    """Say what may be the matter with an item that is left over, from what is left over on the other side."""
    same = [other for other in others if other.currency == item.currency]
    if item.reference:
        named = [other for other in same if other.reference == item.reference]
        if len(named) > 1:
            return f"{len(named)} items on the other side have its reference and do not add up to it."
        if named and named[0].amount_minor != item.amount_minor:
            return f"The other side has its reference with {named[0].amount_minor - item.amount_minor:+d} minor units."
        if named:
            return f"The other side has its reference {abs((named[0].on - item.on).days)} days away."
    equal = [other for other in same if other.amount_minor == item.amount_minor]
    if len(equal) > 1:
        return f"{len(equal)} items on the other side have its amount; none has its reference."
    if equal:
        return f"The other side has its amount {abs((equal[0].on - item.on).days)} days away under another reference."
    return "Nothing on the other side has its reference or its amount."


def _order(item: Item) -> tuple[date, str]:
    return item.on, item.id


def _exact(lefts: Sequence[Item], rights: Sequence[Item], bounds: Bounds) -> list[Match]:
    def key(item: Item) -> Key | None:
        return (item.currency, item.reference, item.amount_minor, item.on) if item.reference else None

    return [
        Match(Basis.EXACT, (a,), (b,))
        for ours, theirs in _meeting(lefts, rights, key)
        # More on one side than on the other: the last ones by id stay.
        for a, b in zip(ours, theirs, strict=False)
    ]


def _by_reference(lefts: Sequence[Item], rights: Sequence[Item], bounds: Bounds) -> list[Match]:
    def key(item: Item) -> Key | None:
        return (item.currency, item.reference, item.amount_minor) if item.reference else None

    found = []
    for ours, theirs in _meeting(lefts, rights, key):
        i = j = 0
        while i < len(ours) and j < len(theirs):
            apart = (ours[i].on - theirs[j].on).days
            if abs(apart) <= bounds.window_days:
                found.append(Match(Basis.REFERENCE, (ours[i],), (theirs[j],)))
                i, j = i + 1, j + 1
            elif apart < 0:
                i += 1
            else:
                j += 1
    return found


def _split(lefts: Sequence[Item], rights: Sequence[Item], bounds: Bounds) -> list[Match]:
    return [
        Match(Basis.SPLIT, (one,), several)
        for ours, theirs in _meeting(lefts, rights, _named)
        for one, several in _sums(ours, theirs, bounds)
    ]


def _merged(lefts: Sequence[Item], rights: Sequence[Item], bounds: Bounds) -> list[Match]:
    return [
        Match(Basis.MERGED, several, (one,))
        for ours, theirs in _meeting(lefts, rights, _named)
        for one, several in _sums(theirs, ours, bounds)
    ]


def _by_amount(lefts: Sequence[Item], rights: Sequence[Item], bounds: Bounds) -> list[Match]:
    found = []
    for ours, theirs in _meeting(lefts, rights, lambda item: (item.currency, item.amount_minor)):
        fitting_ours = {one.id: _within(one, theirs, bounds, limit=2) for one in ours}
        fitting_theirs = {one.id: _within(one, ours, bounds, limit=2) for one in theirs}
        for one in ours:
            fits = fitting_ours[one.id]
            if len(fits) == 1 and len(fitting_theirs[fits[0].id]) == 1:
                found.append(Match(Basis.AMOUNT, (one,), (fits[0],)))
    return found


def _named(item: Item) -> Key | None:
    return (item.currency, item.reference) if item.reference else None


def _sums(targets: Sequence[Item], pool: Sequence[Item], bounds: Bounds) -> Iterable[tuple[Item, tuple[Item, ...]]]:
    """Yield each target that is the sum of items of the pool, which are then gone from it."""
    rest = list(pool)
    for target in targets:
        near = _within(target, rest, bounds, limit=len(rest))
        chosen = _chosen(target.amount_minor, near, bounds)
        if chosen:
            gone = {item.id for item in chosen}
            rest = [item for item in rest if item.id not in gone]
            yield target, chosen


def _chosen(amount_minor: int, near: Sequence[Item], bounds: Bounds) -> tuple[Item, ...]:
    """Return the items that add up to an amount, if all do or only one choice does; else none."""
    if len(near) >= 2 and sum(item.amount_minor for item in near) == amount_minor:
        return tuple(near)
    if len(near) > bounds.candidates:
        return ()
    found: tuple[Item, ...] = ()
    for size in range(2, min(bounds.parts, len(near)) + 1):
        for choice in combinations(near, size):
            if sum(item.amount_minor for item in choice) == amount_minor:
                if found:
                    return ()
                found = choice
    return found


def _within(item: Item, others: Sequence[Item], bounds: Bounds, *, limit: int) -> list[Item]:
    """Return the first so many of the others whose day is in the window around an item's, in their order."""
    near: list[Item] = []
    for other in others:
        if abs((other.on - item.on).days) <= bounds.window_days:
            near.append(other)
            if len(near) == limit:
                break
    return near


def _meeting(
    lefts: Sequence[Item], rights: Sequence[Item], key: Callable[[Item], Key | None]
) -> Iterable[tuple[list[Item], list[Item]]]:
    """Yield the items of both sides that have the same key, in the order of the left."""
    ours, theirs = _grouped(lefts, key), _grouped(rights, key)
    return ((group, theirs[name]) for name, group in ours.items() if name in theirs)


def _grouped(items: Sequence[Item], key: Callable[[Item], Key | None]) -> Mapping[Key, list[Item]]:
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        name = key(item)
        if name is not None:
            groups[name].append(item)
    return groups
