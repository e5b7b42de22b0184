"""An allocation: which blocks run where, and what each hourly order takes in each cell and period."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.clearing import residual
from exchange.clearing.model import Group, Market
from exchange.clearing.residual import Demand


@dataclass(frozen=True, slots=True)
class Placement:
    """A block that runs: its group and the lots in each of the group's cells."""

    group: Group
    shares: tuple[tuple[int, int], ...]  # (cell, lots), lots > 0, by cell

    @property
    def order(self) -> int:
        """The place of its order in ``Book.orders``."""
        return self.group.order

    @property
    def lots(self) -> int:
        """The level over all cells."""
        return sum(lots for _, lots in self.shares)


@dataclass(frozen=True)
class Allocation:
    """Placements in canonical order, and lots by (order, cell, period) of the hourly orders."""

    placements: tuple[Placement, ...] = ()
    fills: Mapping[tuple[int, int, int], int] = field(default_factory=dict)


class Divider:
    """Completes block placements with the best division of the hourly orders, remembering each period's answer."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._known: dict[object, dict[tuple[int, int], int]] = {}

    def complete(
        self,
        placements: tuple[Placement, ...],
        *,
        sites: Mapping[int, int] | None = None,
        barred: frozenset[int] = frozenset(),
    ) -> Allocation:
        """Return the placements with the divisible rest, re-optimised.

        ``sites`` names the cell of single-site hourly orders (those without one stay out); ``barred`` are hourly
        orders that take nothing.
        """
        used = usage(self._market, placements)
        chosen = sites or {}
        fills: dict[tuple[int, int, int], int] = {}
        for period in range(len(self._market.periods)):
            demands = self._demands(period, chosen, barred)
            key = (period, tuple(sorted(used[period].items())), tuple(demands))
            if key not in self._known:
                self._known[key] = residual.fill(self._market, used[period], demands, period=period)
            fills.update({(order, cell, period): lots for (order, cell), lots in self._known[key].items()})
        return Allocation(tuple(sorted(placements, key=lambda placement: placement.order)), fills)

    def _demands(self, period: int, sites: Mapping[int, int], barred: frozenset[int]) -> list[Demand]:
        demands = []
        for index in self._market.active[period]:
            order = self._market.book.orders[index]
            cells = self._market.compatible[index]
            if order.single_site:
                cells = (sites[index],) if index in sites else ()
            if cells and index not in barred:
                demands.append(Demand(index, order.limit, order.qmax, cells))
        return demands


def usage(market: Market, placements: tuple[Placement, ...]) -> list[dict[int, int]]:
    """Return for each period the lots that the placements use in each cell."""
    used: list[dict[int, int]] = [{} for _ in market.periods]
    for placement in placements:
        for period in range(placement.group.first, placement.group.last):
            for cell, lots in placement.shares:
                used[period][cell] = used[period].get(cell, 0) + lots
    return used


def fits(market: Market, placements: tuple[Placement, ...]) -> bool:
    """Return whether the placements together stay inside the capacity of every cell and period."""
    return all(
        lots <= market.capacity[cell][period]
        for period, cells in enumerate(usage(market, placements))
        for cell, lots in cells.items()
    )


def welfare(market: Market, allocation: Allocation) -> int:
    """Return value at the limits less cost at the reserves, in micros."""
    orders = market.book.orders
    total = sum(
        orders[placement.order].limit * orders[placement.order].hours * placement.lots
        for placement in allocation.placements
    )
    demand = demand_by_cell(market, allocation)
    for (order, _, period), lots in allocation.fills.items():
        total += orders[order].limit * market.periods[period].hours * lots
    for (cell, period), lots in demand.items():
        left = lots
        for step in market.stacks[cell][period]:
            share = min(left, step.qty)
            total -= step.reserve * share * market.periods[period].hours
            left -= share
    return total


def demand_by_cell(market: Market, allocation: Allocation) -> dict[tuple[int, int], int]:
    """Return the lots bought in each (cell, period) that has any."""
    demand: dict[tuple[int, int], int] = {}
    for period, cells in enumerate(usage(market, allocation.placements)):
        for cell, lots in cells.items():
            demand[cell, period] = demand.get((cell, period), 0) + lots
    for (_, cell, period), lots in allocation.fills.items():
        demand[cell, period] = demand.get((cell, period), 0) + lots
    return demand
