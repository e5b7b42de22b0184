"""The divisible rest: hourly demand against the supply that the blocks leave, exactly and in integers.

Inside one period a lot of an hourly order is worth its limit in every compatible cell, and a lot of supply costs its
reserve whoever takes it. Weights on the two ends only make this a matching that a greedy solves: insert demand by
falling limit (ties: canonical order, which is time priority), each lot along a path of moves to the cheapest supply
that it can reach. The result is an optimum of the transportation problem, so prices with ``lo <= hi`` exist for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.clearing.model import Market


@dataclass(frozen=True, slots=True)
class Demand:
    """What an hourly order may take in the period at hand."""

    order: int
    limit: int
    qty: int
    cells: tuple[int, ...]


@dataclass
class _Slate:
    """One period while it is being filled."""

    steps: dict[int, list[list[int]]]  # cell -> [reserve, lots left], cheapest first, used-up steps popped
    placed: dict[int, dict[int, int]] = field(default_factory=dict)  # cell -> order -> lots
    cells_of: dict[int, tuple[int, ...]] = field(default_factory=dict)


def fill(market: Market, used: Mapping[int, int], demands: list[Demand], *, period: int) -> dict[tuple[int, int], int]:
    """Return lots by (order, cell) of the best division of one period, given the lots that blocks use by cell."""
    slate = _Slate(_left_over(market, used, period))
    for demand in sorted(demands, key=lambda demand: (-demand.limit, demand.order)):
        _insert(slate, demand)
    return {
        (order, cell): lots
        for cell in sorted(slate.placed)
        for order, lots in sorted(slate.placed[cell].items())
        if lots
    }


def _left_over(market: Market, used: Mapping[int, int], period: int) -> dict[int, list[list[int]]]:
    steps = {}
    for cell, stacks in enumerate(market.stacks):
        taken, left = used.get(cell, 0), []
        for step in stacks[period]:
            share = min(taken, step.qty)
            taken -= share
            if step.qty > share:
                left.append([step.reserve, step.qty - share])
        if left:
            steps[cell] = left
    return steps


def _insert(slate: _Slate, demand: Demand) -> None:
    slate.cells_of[demand.order] = demand.cells
    need = demand.qty
    while need:
        came_from = _reachable(slate, demand.cells)
        free = [(slate.steps[cell][0][0], rank, cell) for rank, cell in enumerate(came_from) if slate.steps.get(cell)]
        if not free or min(free)[0] > demand.limit:
            return
        target = min(free)[2]
        moves = _moves(slate, came_from, target)
        lots = min([need, slate.steps[target][0][1], *(slate.placed[src][order] for order, src, _ in moves)])
        for order, source, destination in moves:
            _shift(slate, order, source, -lots)
            _shift(slate, order, destination, lots)
        _shift(slate, demand.order, moves[-1][1] if moves else target, lots)
        slate.steps[target][0][1] -= lots
        if not slate.steps[target][0][1]:
            slate.steps[target].pop(0)
        need -= lots


def _reachable(slate: _Slate, cells: tuple[int, ...]) -> dict[int, tuple[int, int] | None]:
    """Return the cells within reach, nearest first, each with the (order, cell) that would have to move there."""
    came_from: dict[int, tuple[int, int] | None] = dict.fromkeys(cells)
    queue = list(cells)
    for cell in queue:
        for order, lots in slate.placed.get(cell, {}).items():
            if not lots:
                continue
            for other in slate.cells_of[order]:
                if other not in came_from:
                    came_from[other] = (order, cell)
                    queue.append(other)
    return came_from


def _moves(slate: _Slate, came_from: Mapping[int, tuple[int, int] | None], target: int) -> list[tuple[int, int, int]]:
    """Return the moves (order, from, to) that free a lot of a direct cell, the one into ``target`` first."""
    moves, cell = [], target
    while (step := came_from[cell]) is not None:
        order, source = step
        moves.append((order, source, cell))
        cell = source
    return moves


def _shift(slate: _Slate, order: int, cell: int, lots: int) -> None:
    row = slate.placed.setdefault(cell, {})
    row[order] = row.get(order, 0) + lots
