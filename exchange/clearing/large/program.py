"""The welfare program as arrays: a relaxation of a whole market, or the integer program of a part of it.

    max  sum of (limit - base) x hours x lots  -  sum of (reserve - base) x hours x lots sold
    bought = sold                          in each cell and period; its dual is the price
    lots of a block over what it may take  at most one in all         (relaxed)
    qmin z <= lots of a group <= qmax z,   sum of z of a block <= 1   (integral)
    lots of an hourly order <= qmax        in each period

In the relaxation ``z = lots / qmax`` is feasible and best, so it needs no ``z`` and no row of ``qmin``. Money counts
from the lowest price of the part, in units of the greatest common divisor, so that floats hold it exactly where they
can.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.market import Market
from exchange.clearing.large.tables import Floats, Groups, Hourly, Ints, ranges
from exchange.clearing.solver import Arrays

INFINITY = float("inf")
# Beyond this many units prices lose their last digits on the way to the solver; integers decide afterwards.
LARGEST_EXACT_PRICE = 10_000_000


@dataclass(frozen=True)
class Part:
    """What of a market a program is about: choices of blocks and hourly orders, and the supply left for them."""

    market: Market
    groups: Groups
    hourly: Hourly
    left: Ints  # lots by [cell, period, step]


@dataclass(frozen=True)
class Program:
    """A program and where its parts are."""

    part: Part
    arrays: Arrays
    base: int
    unit: float  # micros in one unit of the program's money
    dearest: int  # the highest price of the book
    lots: Ints  # by alternative: the column of its lots, or of its z times ``scale``
    scale: Ints
    fills: Ints  # by hourly choice
    balance: Ints  # row by [cell, period], -1 where nothing can be bought
    most: Ints  # lots that each group can take
    sold: Ints  # columns of the supply, at [cell, period, step] ``supply``
    supply: tuple[Ints, ...]

    def duals(self, values: Floats) -> Ints:
        """Return duals as prices in micros by [cell, period]: never below the cheapest reserve left there."""
        market = self.part.market
        cheapest = market.stacks.reserve[:, :, 0]
        if not len(values):
            return cheapest
        rows = np.where(self.balance >= 0, self.balance, 0)
        # A dual beyond the dearest price proves nothing more; one that is no number proves nothing.
        dual = np.nan_to_num(values[rows] * self.unit / market.axis.hours, posinf=0.0, neginf=0.0)
        price = self.base + np.rint(np.clip(dual, 0.0, self.dearest - self.base)).astype(np.int64)
        return np.where(self.balance >= 0, np.maximum(price, cheapest), cheapest)


class Matrix:
    """Collects entries and columns."""

    def __init__(self) -> None:
        self.columns = 0
        self.rows = 0
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._objective: list[Floats] = []
        self._upper: list[Floats] = []
        self._integral: list[Ints] = []
        self._row_lower: list[Floats] = []
        self._row_upper: list[Floats] = []

    def add_columns(self, objective: Floats, upper: Floats, *, integral: bool = False) -> Ints:
        places = np.arange(self.columns, self.columns + len(objective))
        self.columns += len(objective)
        self._objective.append(objective)
        self._upper.append(upper)
        self._integral.append(np.full(len(objective), int(integral)))
        return places

    def add_rows(self, count: int, lower: Floats | float, upper: Floats | float) -> Ints:
        places = np.arange(self.rows, self.rows + count)
        self.rows += count
        self._row_lower.append(np.broadcast_to(np.asarray(lower, dtype=float), count))
        self._row_upper.append(np.broadcast_to(np.asarray(upper, dtype=float), count))
        return places

    def add_entries(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        self._entries.append((rows, columns, np.broadcast_to(np.asarray(values, dtype=float), len(rows))))

    def arrays(self) -> Arrays:
        rows, columns, values = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        order = np.argsort(columns, kind="stable")
        start = np.zeros(self.columns + 1, dtype=np.int32)
        np.cumsum(np.bincount(columns, minlength=self.columns), out=start[1:])
        return Arrays(
            objective=np.concatenate(self._objective),
            upper=np.concatenate(self._upper),
            integral=np.concatenate(self._integral).astype(bool),
            row_lower=np.concatenate(self._row_lower),
            row_upper=np.concatenate(self._row_upper),
            start=start,
            index=rows[order].astype(np.int32),
            value=values[order],
        )


def build(part: Part, *, integral: bool) -> Program:
    """Return the program of a part, relaxed or integral."""
    market, groups, hourly = part.market, part.groups, part.hourly
    base, unit = money(market)
    matrix = Matrix()
    worth = (market.orders.limit - base) / unit
    most = _most(market, groups)
    lots, scale = (_integral_blocks if integral else _relaxed_blocks)(matrix, market, groups, worth, most)
    hours = market.axis.hours
    fills = matrix.add_columns(worth[hourly.order] * hours[hourly.period], hourly.cap.astype(float))
    _hourly_rows(matrix, market, hourly, fills)
    periods, alternative = ranges(groups.first[groups.group], groups.last[groups.group])
    wanted = np.zeros(part.left.shape[:2], dtype=bool)
    wanted[groups.cell[alternative], periods] = True
    wanted[hourly.cell, hourly.period] = True
    balance = np.full(wanted.shape, -1, dtype=np.int64)
    balance[wanted] = matrix.add_rows(int(wanted.sum()), 0.0, 0.0)
    matrix.add_entries(balance[groups.cell[alternative], periods], lots[alternative], scale[alternative].astype(float))
    matrix.add_entries(balance[hourly.cell, hourly.period], fills, 1.0)
    cell, period, step = np.nonzero((part.left > 0) & wanted[:, :, None])
    cost = (market.stacks.reserve[cell, period, step] - base) / unit * hours[period]
    sold = matrix.add_columns(-cost, part.left[cell, period, step].astype(float))
    matrix.add_entries(balance[cell, period], sold, -1.0)
    dearest = int(max(market.stacks.reserve.max(), market.orders.limit.max()))
    return Program(
        part, matrix.arrays(), base, unit, dearest, lots, scale, fills, balance, most, sold, (cell, period, step)
    )


def money(market: Market) -> tuple[int, float]:
    """Return what is taken off every price and the micros of one unit; as much is bought as is sold."""
    reserves = market.stacks.reserve[market.stacks.lots > 0]
    base = int(min(reserves.min(), market.orders.limit.min()))
    unit = int(np.gcd(np.gcd.reduce(reserves - base), np.gcd.reduce(market.orders.limit - base))) or 1
    largest = (int(max(reserves.max(), market.orders.limit.max())) - base) // unit
    return base, float(unit) if largest <= LARGEST_EXACT_PRICE else unit * (largest / LARGEST_EXACT_PRICE)


def _most(market: Market, groups: Groups) -> Ints:
    if not len(groups):
        return np.zeros(0, dtype=np.int64)
    return np.minimum(market.orders.qmax[groups.order], np.add.reduceat(groups.cap, groups.begin[:-1]))


def _relaxed_blocks(matrix: Matrix, market: Market, groups: Groups, worth: Floats, most: Ints) -> tuple[Ints, Ints]:
    orders = market.orders
    order = groups.order[groups.group]
    lots = matrix.add_columns(worth[order] * orders.hours[order], groups.cap.astype(float))
    own, row = np.unique(groups.order, return_inverse=True)
    rows = matrix.add_rows(len(own), -INFINITY, 1.0)
    matrix.add_entries(rows[row[groups.group]], lots, 1.0 / most[groups.group])
    return lots, np.ones(len(lots), dtype=np.int64)


def _integral_blocks(matrix: Matrix, market: Market, groups: Groups, worth: Floats, most: Ints) -> tuple[Ints, Ints]:
    """Add a ``z`` for each group, and lots beside it unless its one cell takes exactly ``qmin`` lots or none."""
    orders, order = market.orders, groups.order[groups.group]
    least, size = orders.qmin[groups.order], np.diff(groups.begin)
    whole = (size == 1) & (groups.cap[groups.begin[:-1]] == least)
    value = worth[groups.order] * orders.hours[groups.order]
    taken = matrix.add_columns(np.where(whole, value * least, 0.0), np.ones(len(groups)), integral=True)
    apart = ~whole[groups.group]
    lots = taken[groups.group].copy()
    lots[apart] = matrix.add_columns((worth[order] * orders.hours[order])[apart], groups.cap[apart].astype(float))
    scale = np.where(apart, 1, least[groups.group])
    own, row = np.unique(groups.order, return_inverse=True)
    matrix.add_entries(matrix.add_rows(len(own), -INFINITY, 1.0)[row], taken, 1.0)
    mixed = np.flatnonzero(~whole)
    number = np.full(len(groups), -1, dtype=np.int64)
    number[mixed] = np.arange(len(mixed))
    for bound, lower, upper in ((least, 0.0, INFINITY), (most, -INFINITY, 0.0)):
        rows = matrix.add_rows(len(mixed), lower, upper)
        matrix.add_entries(rows[number[groups.group[apart]]], lots[apart], 1.0)
        matrix.add_entries(rows, taken[mixed], -bound[mixed].astype(float))
    # A share needs its group's start, which the row over all shares says less sharply.
    shared = np.flatnonzero(apart & (size[groups.group] > 1))
    rows = matrix.add_rows(len(shared), -INFINITY, 0.0)
    matrix.add_entries(rows, lots[shared], 1.0)
    matrix.add_entries(rows, taken[groups.group[shared]], -groups.cap[shared].astype(float))
    return lots, scale


def _hourly_rows(matrix: Matrix, market: Market, hourly: Hourly, fills: Ints) -> None:
    key = hourly.order * len(market.axis.begin) + hourly.period
    own, first, row = np.unique(key, return_index=True, return_inverse=True)
    matrix.add_entries(matrix.add_rows(len(own), -INFINITY, hourly.most[first].astype(float))[row], fills, 1.0)
