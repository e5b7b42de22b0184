"""An allocation under construction, in integers: which blocks run where, and what hourly orders take.

Everything is an array over the market's choices. Supply is used in merit order, so what an allocation costs follows
from the lots used in each cell and period alone.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.market import Market
from exchange.clearing.large.tables import Flags, Ints, ranges


@dataclass
class State:
    """``lots`` by alternative of a block, ``fills`` by hourly choice, ``used`` by [cell, period]."""

    market: Market
    lots: Ints
    fills: Ints
    used: Ints

    @classmethod
    def empty(cls, market: Market) -> "State":
        """Return the allocation in which nobody has anything."""
        return cls(
            market=market,
            lots=np.zeros(len(market.groups.cell), dtype=np.int64),
            fills=np.zeros(len(market.hourly), dtype=np.int64),
            used=np.zeros(market.stacks.capacity.shape, dtype=np.int64),
        )

    def copy(self) -> "State":
        """Return an allocation of its own."""
        return State(self.market, self.lots.copy(), self.fills.copy(), self.used.copy())

    def recount(self) -> None:
        """Work ``used`` out again from lots and fills."""
        self.used = usage(self.market, self.lots, self.fills)

    def running(self) -> Ints:
        """Return for each order the group in which it runs, -1 for none."""
        found = np.full(len(self.market.book.orders), -1, dtype=np.int64)
        group = self.market.groups.group[np.flatnonzero(self.lots)]
        found[self.market.groups.order[group]] = group
        return found

    @property
    def welfare(self) -> int:
        """Value at the limits less cost at the reserves, in micros."""
        market = self.market
        orders, groups, hourly = market.orders, market.groups, market.hourly
        order = groups.order[groups.group]
        value = int((self.lots * orders.limit[order] * orders.hours[order]).sum())
        value += int((self.fills * orders.limit[hourly.order] * market.axis.hours[hourly.period]).sum())
        return value - cost(market, self.used)

    @property
    def is_feasible(self) -> bool:
        """Whether it keeps to capacity, levels, single starts and the quantities of hourly orders."""
        market, orders = self.market, self.market.orders
        groups, hourly = market.groups, market.hourly
        if bool((self.lots < 0).any() or (self.fills < 0).any() or (self.used > market.stacks.capacity).any()):
            return False
        if bool((self.lots > groups.cap).any() or (self.fills > hourly.cap).any()):
            return False
        level = np.add.reduceat(self.lots, groups.begin[:-1]) if len(groups) else self.lots
        on = np.flatnonzero(level)
        filled: Flags = (level[on] >= orders.qmin[groups.order[on]]) & (level[on] <= orders.qmax[groups.order[on]])
        one_start = len(np.unique(groups.order[on])) == len(on)
        _, first, row = np.unique(
            hourly.order * len(market.axis.begin) + hourly.period, return_index=True, return_inverse=True
        )
        got = np.bincount(row, weights=self.fills)
        return bool(filled.all()) and one_start and bool((got <= orders.qmax[hourly.order[first]]).all())


def cost(market: Market, used: Ints) -> int:
    """Return what the lots used cost at the reserves, cheapest first, in micros."""
    stacks = market.stacks
    sold = np.clip(used[:, :, None] - stacks.reach + stacks.lots, 0, stacks.lots)
    return int(((sold * stacks.reserve).sum(axis=2) * market.axis.hours).sum())


def left_over(market: Market, used: Ints) -> Ints:
    """Return the lots of each step that are left when so many are used in merit order."""
    left: Ints = np.clip(market.stacks.reach - used[:, :, None], 0, market.stacks.lots)
    return left


def usage(market: Market, lots: Ints, fills: Ints) -> Ints:
    """Return the lots used by [cell, period]."""
    groups, hourly = market.groups, market.hourly
    used = np.zeros(market.stacks.capacity.shape, dtype=np.int64)
    taken = np.flatnonzero(lots)
    period, place = ranges(groups.first[groups.group[taken]], groups.last[groups.group[taken]])
    np.add.at(used, (groups.cell[taken][place], period), lots[taken][place])
    filled = np.flatnonzero(fills)
    np.add.at(used, (hourly.cell[filled], hourly.period[filled]), fills[filled])
    return used


def dearest(market: Market, used: Ints) -> Ints:
    """Return the reserve of the dearest lot used by [cell, period], 0 where none is: the least price of the sellers."""
    step = (market.stacks.reach < used[:, :, None]).sum(axis=2)
    step = np.minimum(step, market.stacks.lots.shape[2] - 1)
    reserve: Ints = np.take_along_axis(market.stacks.reserve, step[:, :, None], axis=2)[:, :, 0]
    return np.where(used > 0, reserve, 0)


def paid(market: Market, prices: Ints, groups: Ints, cells: Ints) -> Ints:
    """Return what one lot pays over the run of each group in each cell at prices by [cell, period]."""
    sums = np.zeros((prices.shape[0], prices.shape[1] + 1), dtype=np.int64)
    np.cumsum(prices * market.axis.hours, axis=1, out=sums[:, 1:])
    return sums[cells, market.groups.last[groups]] - sums[cells, market.groups.first[groups]]


def losses(market: Market, lots: Ints, prices: Ints) -> Ints:
    """Return by order what its running block pays over its limit at the prices, in micros; not positive if unhurt."""
    groups = market.groups
    taken = np.flatnonzero(lots)
    order = groups.order[groups.group[taken]]
    due = lots[taken] * paid(market, prices, groups.group[taken], groups.cell[taken])
    due -= lots[taken] * market.orders.limit[order] * market.orders.hours[order]
    lost = np.zeros(len(market.book.orders), dtype=np.int64)
    np.add.at(lost, order, due)
    return lost
