"""Cutting an allocation down to what its buyers may pay.

A budget caps the whole of what a buyer pays, at prices that depend on what others buy: no division of the hourly
orders knows it beforehand.
"""

from collections.abc import Callable, Mapping

from exchange.clearing import prices
from exchange.clearing.allocation import Allocation
from exchange.clearing.model import Market
from exchange.clearing.prices import Assessment

Key = tuple[int, int, int]  # order, cell, period


def affordable(market: Market, allocation: Allocation, assessment: Assessment) -> Allocation:
    """Return the allocation without the lots that buyers could not pay at the lowest legal prices.

    Hourly lots that gain least go first; a buyer with too few of them gives up the latest block as well. Buying less
    never raises ``pi_min``, so nobody else is hurt by it.
    """
    orders, fills, placements = market.book.orders, dict(allocation.fills), allocation.placements
    pi_min = {key: interval.pi_min for key, interval in assessment.intervals.items()}
    paid = prices.paid_by_capped(market, allocation, pi_min)
    for buyer in assessment.over_budget_at_pi_min:
        excess = paid[buyer] - market.book.budgets[buyer]
        for key in sorted((key for key in fills if orders[key[0]].buyer == buyer), key=_gain_of(market, pi_min)):
            due = pi_min[key[1:]] * market.periods[key[2]].hours
            if excess > 0 and due:
                cut = min(fills[key], -(-excess // due))
                fills[key] -= cut
                excess -= cut * due
        if excess > 0:
            # Without an hourly lot that costs anything, what is paid beyond the budget is paid for blocks.
            own = [placement for placement in placements if orders[placement.order].buyer == buyer]
            placements = tuple(other for other in placements if other is not own[-1])
    return Allocation(placements, {key: lots for key, lots in fills.items() if lots})


def _gain_of(market: Market, pi_min: Mapping[tuple[int, int], int]) -> Callable[[Key], tuple[int, Key]]:
    """Return what orders purchases by the gain of a lot; of equal ones the last key is given up first."""

    def rank(key: Key) -> tuple[int, Key]:
        order, cell, period = key
        gain = (market.book.orders[order].limit - pi_min[cell, period]) * market.periods[period].hours
        return gain, (-order, -cell, -period)

    return rank
