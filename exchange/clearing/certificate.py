"""Upper bounds on welfare that anybody can check without a solver.

For any prices ``pi >= 0`` weak duality bounds the welfare of every allocation by what suppliers could gain at ``pi``
plus what each order could gain at its best choice:

    UB(pi) = sum over offers and slots of qty * max(0, pi - reserve) + sum over orders of best(order, pi)

``best`` is the most that the order could gain at ``pi`` by anything its cells have the capacity for, all other orders
aside. A missing price counts as zero, so a good vector covers every cell and slot with capacity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.clearing.book import Document
from exchange.clearing.model import Market
from exchange.clearing.outcome import PriceRun, prices_document


@dataclass(frozen=True)
class Vector:
    """A price vector by cell id and the bound in micros that it proves."""

    prices: Mapping[str, tuple[PriceRun, ...]]
    bound: int

    def to_document(self) -> Document:
        """Return the vector as JSON, in the run shape of an outcome's prices."""
        return {"prices": prices_document(self.prices), "bound": self.bound}


@dataclass(frozen=True)
class Certificate:
    """Two proofs of an upper bound: the settlement prices and the rounded duals of the linear relaxation."""

    settlement: Vector
    duals: Vector

    @property
    def bound(self) -> int:
        """The better of the two bounds, in micros."""
        return min(self.settlement.bound, self.duals.bound)

    def to_document(self) -> Document:
        """Return the certificate as a JSON document of its own."""
        return {
            "settlement": self.settlement.to_document(),
            "duals": self.duals.to_document(),
            "bound": self.bound,
        }


def upper_bound(market: Market, prices: Mapping[tuple[int, int], int]) -> int:
    """Return UB(prices) in micros, exactly; ``prices`` by (cell, period), missing ones counting as zero."""
    total = 0
    for cell, row in enumerate(market.stacks):
        for period, stack in enumerate(row):
            price = prices.get((cell, period), 0)
            hours = market.periods[period].hours
            total += hours * sum(step.qty * max(0, price - step.reserve) for step in stack)
    for index in market.hourly:
        total += _best_hourly(market, index, prices)
    for index in market.blocks:
        total += _best_block(market, index, prices)
    return total


def _best_hourly(market: Market, index: int, prices: Mapping[tuple[int, int], int]) -> int:
    order, total = market.book.orders[index], 0
    for period in market.windows[index]:
        gains = [
            (order.limit - prices.get((cell, period), 0), market.capacity[cell][period])
            for cell in market.compatible[index]
            if market.capacity[cell][period]
        ]
        total += market.periods[period].hours * _best_mix(gains, least=0, most=order.qmax)
    return total


def _best_block(market: Market, index: int, prices: Mapping[tuple[int, int], int]) -> int:
    order = market.book.orders[index]
    if market.truncated:
        return order.qmax * order.limit * order.hours
    paid = {cell: _running_sum(market, cell, prices) for cell in market.compatible[index]}
    best = 0
    for first, last in market.runs[index]:
        gains = []
        for cell in market.compatible[index]:
            capacity = min(market.capacity[cell][first:last])
            if capacity:
                gains.append((order.limit * order.hours - (paid[cell][last] - paid[cell][first]), capacity))
        choices = [[gain] for gain in gains] if order.single_site else [gains]
        best = max([best, *(_best_mix(choice, least=order.qmin, most=order.qmax) for choice in choices)])
    return best


def _running_sum(market: Market, cell: int, prices: Mapping[tuple[int, int], int]) -> list[int]:
    sums = [0]
    for period, span in enumerate(market.periods):
        sums.append(sums[-1] + prices.get((cell, period), 0) * span.hours)
    return sums


def _best_mix(gains: list[tuple[int, int]], *, least: int, most: int) -> int:
    """Return the most that 0 or ``least`` to ``most`` lots can gain, given (gain of a lot, capacity) by cell."""
    total = lots = 0
    for gain, capacity in sorted(gains, reverse=True):
        taken = min(capacity, (most if gain > 0 else least) - lots)
        if taken > 0:
            total += taken * gain
            lots += taken
    return max(0, total) if lots >= least else 0
