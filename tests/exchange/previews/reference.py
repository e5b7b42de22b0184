"""Slow and obvious: what is left of a tiny book for a draft, however those ahead of it may be served.

Every placement of every block ahead is tried. In each hour those ahead are served as far as supply goes (a maximum
flow, found unit by unit); what the draft can then have on top is the difference that it makes to that flow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from exchange.orders.rules import OrderKind
from exchange.previews.book import Draft, OpenOffer


@dataclass(frozen=True)
class Rival:
    """An order ahead: the cells it may use, and the starts its block may have (None: every hour of the window)."""

    cells: frozenset[int]
    earliest: int
    latest: int
    units: int
    hours: int | None = None

    def placements(self) -> Iterator[frozenset[int]]:
        """Yield every set of hours in which it may run."""
        if self.hours is None:
            yield frozenset(range(self.earliest, self.latest))
            return
        for start in range(self.earliest, self.latest - self.hours + 1):
            yield frozenset(range(start, start + self.hours))


def flow(supply: Sequence[int], wants: Sequence[tuple[frozenset[int], int]]) -> int:
    """Return how many units can be served at once, by augmenting paths of one unit."""
    units = [(cells, number) for number, (cells, count) in enumerate(wants) for _ in range(count)]
    served: dict[int, list[int]] = {cell: [] for cell in range(len(supply))}

    def serve(unit: int, seen: set[int]) -> bool:
        for cell in units[unit][0] - seen:
            seen.add(cell)
            if len(served[cell]) < supply[cell]:
                served[cell].append(unit)
                return True
            for place, other in enumerate(served[cell]):
                if serve(other, seen):
                    served[cell][place] = unit
                    return True
        return False

    return sum(serve(unit, set()) for unit in range(len(units)))


def left(
    offers: Sequence[OpenOffer],
    rivals: Sequence[Rival],
    cells: frozenset[int],
    slot: int,
    running: Sequence[bool],
    *,
    limit_micros: int,
    cell_count: int,
) -> int:
    """Return the units of these cells in a slot that a draft can have on top of the rivals that run in it."""
    supply = [0] * cell_count
    for offer in offers:
        if offer.start <= slot < offer.end and offer.reserve_micros < limit_micros:
            supply[offer.cell] += offer.units - dict(offer.taken).get(slot, 0)
    wants = [(rival.cells, rival.units) for rival, runs in zip(rivals, running, strict=True) if runs]
    return flow(supply, [*wants, (cells, sum(supply))]) - flow(supply, wants)


def least_level(
    offers: Sequence[OpenOffer], rivals: Sequence[Rival], cells: frozenset[int], draft: Draft, *, cell_count: int
) -> int:
    """Return the level that a block, or the units in the best hour that an hourly draft, can have in the worst case."""
    window = range(draft.earliest, draft.latest)
    pools = [frozenset({cell}) for cell in cells] if draft.single_site else [cells]
    hours = draft.hours if draft.kind is OrderKind.BLOCK else 1
    worst = None
    for placement in product(*(rival.placements() for rival in rivals)):

        def units(slot: int, pool: frozenset[int], placement: tuple[frozenset[int], ...] = placement) -> int:
            running = [slot in hours_of for hours_of in placement]
            return left(offers, rivals, pool, slot, running, limit_micros=draft.limit_micros, cell_count=cell_count)

        best = max(
            (
                min(units(slot, pool) for slot in range(start, start + hours))
                for start in range(window.start, window.stop - hours + 1)
                for pool in pools
            ),
            default=0,
        )
        worst = best if worst is None else min(worst, best)
    return worst or 0
