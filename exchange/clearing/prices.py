"""Uniform prices for an allocation: the no-loss test, the strict interval, and the centred price in it.

``pi_min`` is the reserve of the dearest accepted offer: the smallest price that suits every accepted seller, and
raising a price only hurts buyers, so an allocation admits legal prices if and only if ``pi_min`` hurts nobody. The
strict interval also keeps divisible supply and demand content: not below the limit of unmet hourly demand, not above
the reserve of spare supply. Everything is integer micros.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.clearing.allocation import Allocation, Placement, demand_by_cell
from exchange.clearing.model import Market

HALVINGS = 20


@dataclass(frozen=True)
class Interval:
    """Where the price of one traded cell and period may lie."""

    pi_min: int
    lo: int
    spare: int | None  # the lowest reserve with spare cards
    filled: int | None  # the lowest limit of an hourly order filled here

    @property
    def hi(self) -> int | None:
        """The upper end that divisible supply and demand set, if any does."""
        ends = [end for end in (self.spare, self.filled) if end is not None]
        return min(ends, default=None)

    @property
    def is_open(self) -> bool:
        """Whether a strict price exists here, blocks and budgets apart."""
        return self.hi is None or self.lo <= self.hi

    @property
    def is_legal(self) -> bool:
        """Whether ``pi_min`` suits the hourly buyers here."""
        return self.filled is None or self.pi_min <= self.filled


@dataclass(frozen=True)
class Loss:
    """A placement that prices hurt, and by how many micros over the whole order."""

    placement: Placement
    micros: int


@dataclass(frozen=True)
class Assessment:
    """What prices an allocation admits."""

    intervals: Mapping[tuple[int, int], Interval]
    hurt_at_lo: tuple[Loss, ...]
    hurt_at_pi_min: tuple[Loss, ...]
    over_budget_at_lo: tuple[str, ...]
    over_budget_at_pi_min: tuple[str, ...]

    @property
    def is_strict(self) -> bool:
        """Whether prices exist that meet the hard and the strict rules."""
        return (
            not self.hurt_at_lo
            and not self.over_budget_at_lo
            and all(interval.is_open for interval in self.intervals.values())
        )

    @property
    def is_legal(self) -> bool:
        """Whether prices exist that meet the hard rules."""
        return (
            not self.hurt_at_pi_min
            and not self.over_budget_at_pi_min
            and all(interval.is_legal for interval in self.intervals.values())
        )


def assess(market: Market, allocation: Allocation) -> Assessment:
    """Return the price intervals of an allocation and whom their lower ends hurt."""
    unmet = highest_unmet(market, allocation)
    filled = _lowest_filled(market, allocation)
    intervals = {}
    for (cell, period), lots in demand_by_cell(market, allocation).items():
        pi_min, spare = _margin(market, cell, period, lots)
        intervals[cell, period] = Interval(
            pi_min=pi_min,
            lo=max(pi_min, unmet.get((cell, period), 0)),
            spare=spare,
            filled=filled.get((cell, period)),
        )
    lo = {key: interval.lo for key, interval in intervals.items()}
    pi_min_prices = {key: interval.pi_min for key, interval in intervals.items()}
    return Assessment(
        intervals=intervals,
        hurt_at_lo=hurt(market, allocation, lo),
        hurt_at_pi_min=hurt(market, allocation, pi_min_prices),
        over_budget_at_lo=over_budget(market, allocation, lo),
        over_budget_at_pi_min=over_budget(market, allocation, pi_min_prices),
    )


def highest_unmet(market: Market, allocation: Allocation) -> dict[tuple[int, int], int]:
    """Return, by (cell, period) with capacity, the highest limit of compatible hourly orders not fully met there."""
    got: dict[tuple[int, int], int] = {}
    for (filled, _, period), lots in allocation.fills.items():
        got[filled, period] = got.get((filled, period), 0) + lots
    unmet: dict[tuple[int, int], int] = {}
    for index in market.hourly:
        order = market.book.orders[index]
        for period in market.windows[index]:
            if got.get((index, period), 0) == order.qmax:
                continue
            for cell in market.compatible[index]:
                if market.capacity[cell][period]:
                    unmet[cell, period] = max(order.limit, unmet.get((cell, period), 0))
    return unmet


def _lowest_filled(market: Market, allocation: Allocation) -> dict[tuple[int, int], int]:
    lowest: dict[tuple[int, int], int] = {}
    for order, cell, period in allocation.fills:
        limit = market.book.orders[order].limit
        lowest[cell, period] = min(limit, lowest.get((cell, period), limit))
    return lowest


def _margin(market: Market, cell: int, period: int, lots: int) -> tuple[int, int | None]:
    """Return the dearest accepted reserve and the cheapest one with spare lots."""
    dearest = 0
    for step in market.stacks[cell][period]:
        if lots > 0:
            dearest = step.reserve
        lots -= step.qty
        if lots < 0:
            return dearest, step.reserve
    assert lots == 0, "more was bought than the cell has"
    return dearest, None


def hurt(market: Market, allocation: Allocation, prices: Mapping[tuple[int, int], int]) -> tuple[Loss, ...]:
    """Return the placements that pay more than their limit on average, each with its loss."""
    losses = []
    for placement in allocation.placements:
        order = market.book.orders[placement.order]
        loss = _payment(market, placement, prices) - order.limit * order.hours * placement.lots
        if loss > 0:
            losses.append(Loss(placement, loss))
    return tuple(losses)


def unrewarded(market: Market, allocation: Allocation, assessment: Assessment) -> tuple[Placement, ...]:
    """Return the placements that pay all of their limit at ``lo``: no other one can be given up at no loss.

    Prices in their intervals are duals of the divisible rest, so what a block adds is at least its gain at them.
    """
    lo = {key: interval.lo for key, interval in assessment.intervals.items()}
    orders = market.book.orders
    return tuple(
        placement
        for placement in allocation.placements
        if _payment(market, placement, lo)
        >= orders[placement.order].limit * orders[placement.order].hours * placement.lots
    )


def over_budget(market: Market, allocation: Allocation, prices: Mapping[tuple[int, int], int]) -> tuple[str, ...]:
    """Return the buyers whose payments exceed their budget."""
    budgets, paid = market.book.budgets, paid_by_capped(market, allocation, prices)
    return tuple(buyer for buyer in sorted(paid) if paid[buyer] > budgets[buyer])


def paid_by_capped(market: Market, allocation: Allocation, prices: Mapping[tuple[int, int], int]) -> Mapping[str, int]:
    """Return what each buyer with a budget pays in all, in micros."""
    paid = dict.fromkeys(market.book.budgets, 0)
    if not paid:
        return paid
    for placement in allocation.placements:
        buyer = market.book.orders[placement.order].buyer
        if buyer in paid:
            paid[buyer] += _payment(market, placement, prices)
    for (order, cell, period), lots in allocation.fills.items():
        buyer = market.book.orders[order].buyer
        if buyer in paid:
            paid[buyer] += prices[cell, period] * lots * market.periods[period].hours
    return paid


def _payment(market: Market, placement: Placement, prices: Mapping[tuple[int, int], int]) -> int:
    return sum(
        lots * prices[cell, period] * market.periods[period].hours
        for cell, lots in placement.shares
        for period in range(placement.group.first, placement.group.last)
    )


def centred(market: Market, allocation: Allocation, assessment: Assessment) -> dict[tuple[int, int], int]:
    """Return the price of every traded cell and period.

    Strict allocations get the middle of their interval, pulled down by halves towards ``lo`` where a block or a
    budget would be hurt. Allocations that are only legal get the same around floors that hurt nobody.
    """
    floors = _floors(market, allocation, assessment)
    block_limits = _lowest_block_limit(market, allocation)
    prices = {}
    for key, interval in assessment.intervals.items():
        floor = floors[key]
        ceiling = interval.hi
        if ceiling is None:
            ceiling = block_limits.get(key, floor)
        prices[key] = floor + max(0, ceiling - floor) // 2
    rounds = 0
    while used := _used_by_the_hurt(market, allocation, prices):
        rounds += 1
        for key in used:
            excess = prices[key] - floors[key]
            prices[key] = floors[key] + (excess // 2 if rounds <= HALVINGS else 0)
    return prices


def _floors(market: Market, allocation: Allocation, assessment: Assessment) -> dict[tuple[int, int], int]:
    assert assessment.is_legal, "no legal prices exist"
    intervals = assessment.intervals
    # Where unmet demand asks for more than spare supply or filled demand allows, the latter two win.
    floors = {
        key: interval.lo if interval.hi is None else max(interval.pi_min, min(interval.lo, interval.hi))
        for key, interval in intervals.items()
    }
    while used := _used_by_the_hurt(market, allocation, floors):
        floors.update({key: intervals[key].pi_min for key in used})
    return floors


def _used_by_the_hurt(
    market: Market, allocation: Allocation, prices: Mapping[tuple[int, int], int]
) -> set[tuple[int, int]]:
    used = {
        (cell, period)
        for loss in hurt(market, allocation, prices)
        for cell, _ in loss.placement.shares
        for period in range(loss.placement.group.first, loss.placement.group.last)
    }
    return used | set(_bought_by(market, allocation, set(over_budget(market, allocation, prices))))


def _bought_by(market: Market, allocation: Allocation, buyers: set[str]) -> Iterable[tuple[int, int]]:
    orders = market.book.orders
    for placement in allocation.placements:
        if orders[placement.order].buyer in buyers:
            for cell, _ in placement.shares:
                yield from ((cell, period) for period in range(placement.group.first, placement.group.last))
    for order, cell, period in allocation.fills:
        if orders[order].buyer in buyers:
            yield cell, period


def _lowest_block_limit(market: Market, allocation: Allocation) -> dict[tuple[int, int], int]:
    lowest: dict[tuple[int, int], int] = {}
    for placement in allocation.placements:
        limit = market.book.orders[placement.order].limit
        for cell, _ in placement.shares:
            for period in range(placement.group.first, placement.group.last):
                lowest[cell, period] = min(limit, lowest.get((cell, period), limit))
    return lowest


def untraded(market: Market, allocation: Allocation) -> dict[tuple[int, int], int]:
    """Return the valid price of every (cell, period) that has capacity and no trade: its cheapest reserve.

    It lies at the upper end of the valid interval, where nobody idle would have sold. Where unmet demand stands
    above it, which only demand that is not convex can do, no price is valid and none is returned.
    """
    traded = demand_by_cell(market, allocation)
    unmet = highest_unmet(market, allocation)
    return {
        (cell, period): stack[0].reserve
        for cell, row in enumerate(market.stacks)
        for period, stack in enumerate(row)
        if stack and (cell, period) not in traded and unmet.get((cell, period), 0) <= stack[0].reserve
    }
