"""Greedy moves on an allocation: put a block where it adds most welfare at the margin of what is already there."""

import numpy as np

from exchange.clearing.large.state import State
from exchange.clearing.large.tables import Ints

# Alternatives of one group and the lots that each takes.
Place = tuple[Ints, Ints]


class Inserter:
    """Inserts blocks one by one into a state, at a level and place that pay for themselves."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.market = state.market
        stacks = self.market.stacks
        worth = stacks.lots * stacks.reserve
        self._cost_before = np.cumsum(worth, axis=2) - worth

    def insert(self, order: int) -> bool:
        """Place the block where it gains most; False when it gains nowhere."""
        market, groups = self.market, self.market.groups
        begin, end = int(market.groups_of[order]), int(market.groups_of[order + 1])
        if begin == end:
            return False
        single = bool(market.orders.single_site[order])
        found = self._single(order, begin, end) if single else self._split(order, begin, end)
        if found is None:
            return False
        for alternative, lots in zip(*found, strict=True):
            group = groups.group[alternative]
            self.state.lots[alternative] = lots
            self.state.used[groups.cell[alternative], groups.first[group] : groups.last[group]] += lots
        return True

    def _margin(self, cells: Ints, periods: slice, lots: Ints) -> tuple[Ints, Ints]:
        """Return what so many lots cost an hour, and the reserve of the last of them, by [cell, period]."""
        stacks = self.market.stacks
        reach = stacks.reach[cells, periods]
        step = np.minimum((reach < lots[:, :, None]).sum(axis=2), reach.shape[2] - 1)[:, :, None]

        def of_step(values: Ints) -> Ints:
            picked: Ints = np.take_along_axis(values, step, axis=2)[:, :, 0]
            return picked

        reserve = of_step(stacks.reserve[cells, periods])
        below = of_step(reach - stacks.lots[cells, periods])
        return of_step(self._cost_before[cells, periods]) + (lots - below) * reserve, reserve

    def _single(self, order: int, begin: int, end: int) -> Place | None:
        market, groups = self.market, self.market.groups
        alternative = groups.begin[begin:end]
        cells, row = np.unique(groups.cell[alternative], return_inverse=True)
        first, last = groups.first[begin:end], groups.last[begin:end]
        begins, ends = first - first.min(), last - first.min()
        periods = slice(int(first.min()), int(last.max()))
        used = self.state.used[cells, periods]
        capacity = market.stacks.capacity[cells, periods]
        cost_before, _ = self._margin(cells, periods, used)
        limit = int(market.orders.limit[order]) * int(market.orders.hours[order])
        best: tuple[int, Place] | None = None
        for lots in _levels(int(market.orders.qmin[order]), int(market.orders.qmax[order])):
            cost, marginal = self._margin(cells, periods, np.minimum(used + lots, capacity))
            sums = np.zeros((3, len(cells), used.shape[1] + 1), dtype=np.int64)
            hours = market.axis.hours[periods]
            np.cumsum((cost - cost_before) * hours, axis=1, out=sums[0, :, 1:])
            np.cumsum(marginal * hours, axis=1, out=sums[1, :, 1:])
            np.cumsum(capacity - used < lots, axis=1, out=sums[2, :, 1:])
            paid, price, short = sums[:, row, ends] - sums[:, row, begins]
            gain = np.where((short == 0) & (price <= limit), limit * lots - paid, 0)
            place = int(gain.argmax())
            if gain[place] > 0 and (best is None or gain[place] > best[0]):
                best = int(gain[place]), (alternative[place : place + 1], np.array([lots]))
        return None if best is None else best[1]

    def _split(self, order: int, begin: int, end: int) -> Place | None:
        found = [filled for group in range(begin, end) if (filled := self._split_at(order, group)) is not None]
        return max(found, key=lambda entry: entry[0])[1] if found else None

    def _split_at(self, order: int, group: int) -> tuple[int, Place] | None:
        """Fill the cells of one start from the cheapest lot on; None where that gains nothing."""
        market, groups = self.market, self.market.groups
        alternatives = np.arange(groups.begin[group], groups.begin[group + 1])
        cells = groups.cell[alternatives]
        periods = slice(int(groups.first[group]), int(groups.last[group]))
        hours, reach = market.axis.hours[periods], market.stacks.reach[cells, periods]
        used = self.state.used[cells, periods].copy()
        limit = int(market.orders.limit[order]) * int(market.orders.hours[order])
        least, most = int(market.orders.qmin[order]), int(market.orders.qmax[order])
        taken = np.zeros(len(cells), dtype=np.int64)
        dearest = np.zeros(len(cells), dtype=np.int64)
        gain = total = 0
        while total < most:
            free = (reach[:, :, -1] > used).all(axis=1)
            if not free.any():
                break
            cost = (self._margin(cells, periods, np.minimum(used + 1, reach[:, :, -1]))[1] * hours).sum(axis=1)
            cell = int(np.where(free, cost, np.iinfo(np.int64).max).argmin())
            price = int(cost[cell])
            if price > limit and total >= least:
                break
            ahead = np.where(reach[cell] > used[cell][:, None], reach[cell], np.iinfo(np.int64).max).min(axis=1)
            lots = min(int((ahead - used[cell]).min()), (most if price <= limit else least) - total)
            taken[cell] += lots
            used[cell] += lots
            dearest[cell] = price
            total += lots
            gain += lots * (limit - price)
        if total < least or gain <= 0 or int((taken * dearest).sum()) > limit * total:
            return None
        on = np.flatnonzero(taken)
        return gain, (alternatives[on], taken[on])


def _levels(least: int, most: int) -> list[int]:
    """Return the levels to try: all lots, the least, and halves between."""
    levels = [most]
    while levels[-1] > least:
        levels.append(max(least, levels[-1] // 2))
    return levels
