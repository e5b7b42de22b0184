"""What matching means, in the words of its docstring and without any index: quadratic, for tests to compare with."""

from itertools import combinations

from billing.reconciliation.matching import Basis, Bounds, Item

Pairs = list[tuple[Basis, tuple[str, ...], tuple[str, ...]]]


def match(left: list[Item], right: list[Item], bounds: Bounds) -> tuple[Pairs, list[str], list[str]]:
    """Return (basis, ids on the left, ids on the right), and the ids that are left over on both sides."""
    table = Table(left, right)
    table.pair(Basis.EXACT, 0)
    table.pair(Basis.REFERENCE, bounds.window_days)
    for a in list(table.lefts):
        table.take(Basis.SPLIT, [a], sum_of(a, table.rights, bounds))
    for b in list(table.rights):
        table.take(Basis.MERGED, sum_of(b, table.lefts, bounds), [b])
    for a, b in alone(table.lefts, table.rights, bounds):
        table.take(Basis.AMOUNT, [a], [b])
    return table.found, [item.id for item in table.lefts], [item.id for item in table.rights]


class Table:
    """What still lies on both sides, in order, and what has been put together."""

    def __init__(self, left: list[Item], right: list[Item]) -> None:
        self.lefts = sorted(left, key=lambda item: (item.on, item.id))
        self.rights = sorted(right, key=lambda item: (item.on, item.id))
        self.found: Pairs = []

    def take(self, basis: Basis, ours: list[Item], theirs: list[Item]) -> None:
        """Put items together, unless there are none on one side."""
        if not ours or not theirs:
            return
        self.found.append((basis, tuple(item.id for item in ours), tuple(item.id for item in theirs)))
        for item in ours:
            self.lefts.remove(item)
        for item in theirs:
            self.rights.remove(item)

    def pair(self, basis: Basis, days: int) -> None:
        """Take each on the left with the first on the right that has its reference and amount and is near enough."""
        for a in list(self.lefts):
            fits = [b for b in self.rights if same_reference(a, b) and a.amount_minor == b.amount_minor]
            self.take(basis, [a], [b for b in fits if abs((a.on - b.on).days) <= days][:1])


def alone(lefts: list[Item], rights: list[Item], bounds: Bounds) -> list[tuple[Item, Item]]:
    """Return the pairs in which each is the only one that fits the other by its amount."""
    return [
        (a, b)
        for a in lefts
        for b in rights
        if fits_by_amount(a, b, bounds)
        and sum(fits_by_amount(a, other, bounds) for other in rights) == 1
        and sum(fits_by_amount(other, b, bounds) for other in lefts) == 1
    ]


def sum_of(target: Item, pool: list[Item], bounds: Bounds) -> list[Item]:
    """Return all near items with the reference if they add up, else the only choice that does."""
    around = [item for item in pool if same_reference(target, item) and near(target, item, bounds)]
    if len(around) > 1 and sum(item.amount_minor for item in around) == target.amount_minor:
        return around
    if len(around) > bounds.candidates:
        return []
    choices = [
        list(choice)
        for size in range(2, bounds.parts + 1)
        for choice in combinations(around, size)
        if sum(item.amount_minor for item in choice) == target.amount_minor
    ]
    return choices[0] if len(choices) == 1 else []


def same_reference(a: Item, b: Item) -> bool:
    return a.currency == b.currency and a.reference == b.reference != ""


def near(a: Item, b: Item, bounds: Bounds) -> bool:
    return abs((a.on - b.on).days) <= bounds.window_days


def fits_by_amount(a: Item, b: Item, bounds: Bounds) -> bool:
    return a.currency == b.currency and a.amount_minor == b.amount_minor and near(a, b, bounds)
