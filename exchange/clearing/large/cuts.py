"""Cuts: rows that every whole allocation keeps and the relaxation breaks, by mixed-integer rounding.

In each cell and period, what is bought fits into the first ``k`` steps of the supply and what is sold above them:

    sum of size_j z_j + rest <= reach_k + sold above k,        z_j in {0, 1}, rest >= 0

A single-site block has the size ``qmin`` and ``z >= lots / cap``. A block that takes all that its cells allow while
its start is fractional has the size ``cap``, with ``z`` at most one less the block's other starts and ``cap z - lots``
on the right. What is more in than out counts from above: ``z' = 1 - z``, a fill or share as the lots it lacks.
Dividing by some ``d`` and rounding gives, with ``f`` the fraction of ``reach / d`` after complementing,

    sum of F(size_j / d) z_j - (sold above + lots lacking) / (d (1 - f)) <= floor(reach / d)
    F(a) = floor(a) + max(0, a - floor(a) - f) / (1 - f)

(Marchand and Wolsey, Aggregation and mixed integer rounding to solve MIPs, 2001). The cuts guide the search and
tell how far it may still go; floats make them, so they prove nothing.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.program import Program
from exchange.clearing.large.tables import Flags, Floats, Ints, ranges
from exchange.clearing.solver import Rows

TINY = 1e-6
VIOLATED = 0.02  # of one unit of ``z``: a cut broken by less is not worth its row
CUTS_OF_A_ROW = 3
HALF = 0.5


@dataclass(frozen=True)
class _Point:
    """A solution of the relaxation, by variable: an alternative's lots or a fill."""

    values: Floats
    size: Floats  # 0 for what is not switched by a ``z``
    z: Floats
    bounded: Flags  # lots that are at ``cap z`` and not at ``qmin z``
    lacking: Floats  # ``cap z - lots`` of those


@dataclass(frozen=True)
class _Row:
    """A (cell, period) and the step up to which its supply is counted, with the divisor that breaks it most."""

    place: int
    step: int
    reach: float  # less what is complemented
    divisor: float
    broken: float


class Cutter:
    """Finds cuts for one relaxation, point after point."""

    def __init__(self, program: Program) -> None:
        self.program = program
        part = program.part
        self._market = market = part.market
        self._groups = groups = part.groups
        hourly = part.hourly
        order = groups.order[groups.group]
        self._blocks = len(order)
        single = (np.diff(groups.begin) == 1)[groups.group]
        self._column = np.concatenate([program.lots, program.fills])
        self._cap = np.concatenate([groups.cap, hourly.cap]).astype(float)
        self._most = program.most[groups.group].astype(float)
        least = np.where(single, market.orders.qmin[order], 0)
        self._least = np.concatenate([least, np.zeros(len(hourly), dtype=np.int64)]).astype(float)
        # An order's alternatives are from ``_first`` to ``_last`` of each of them.
        self._first, self._last = np.searchsorted(order, order), np.searchsorted(order, order, side="right")
        self._periods = part.left.shape[1]
        period, owner = ranges(groups.first[groups.group], groups.last[groups.group])
        place = np.concatenate(
            [groups.cell[owner] * self._periods + period, hourly.cell * self._periods + hourly.period]
        )
        variable = np.concatenate([owner, self._blocks + np.arange(len(hourly))])
        by_place = np.argsort(place, kind="stable")
        self._place, self._variable = place[by_place], variable[by_place]
        self._begin = np.searchsorted(self._place, np.arange(part.left.shape[0] * self._periods + 1))
        sold = np.full(part.left.shape, -1, dtype=np.int64)
        sold[program.supply] = program.sold
        self._sold = sold.reshape(-1, part.left.shape[2])
        self._lots = part.left.reshape(-1, part.left.shape[2])
        self._reach = np.cumsum(self._lots, axis=1)

    def cuts(self, solution: Floats) -> Rows | None:
        """Return rows that the solution breaks, the most broken of each cell and period; None where there is none."""
        point = self._point(solution[self._column])
        on = np.flatnonzero(point.values[self._variable] > TINY)
        broken = (point.size > 1) & (point.z < 1 - TINY)
        on = on[np.isin(self._place[on], self._place[on[broken[self._variable[on]]]])]
        if not len(on):
            return None
        # What is complemented: nothing, or all that is more in than out.
        turned = np.zeros(len(point.z), dtype=bool), (point.z > HALF) & ~point.bounded
        rows = [self._rows(solution, point, flags, on) for flags in turned]
        found = [(row, flags) for part, flags in zip(rows, turned, strict=True) for row in part]
        found.sort(key=lambda entry: (entry[0].place, -entry[0].broken))
        seen: dict[int, int] = {}
        cuts = []
        for row, flags in found:
            seen[row.place] = seen.get(row.place, 0) + 1
            if seen[row.place] <= CUTS_OF_A_ROW:
                cuts.append(self._cut(row, point, flags))
        return _rows_of(cuts, solution)

    def _point(self, values: Floats) -> _Point:
        groups, blocks = self._groups, self._blocks
        size, z = self._least.copy(), values / self._cap
        share = values[:blocks] / self._most
        total = np.concatenate([np.zeros(1), np.cumsum(share)])
        own = np.add.reduceat(share, groups.begin[:-1])[groups.group] if blocks else share
        start = np.clip(1 - (total[self._last] - total[self._first] - own), 0, 1)
        bounded = np.zeros(len(values), dtype=bool)
        lots = values[:blocks]
        bounded[:blocks] = (
            (size[:blocks] < self._cap[:blocks])
            & (lots > TINY)
            & (lots >= self._cap[:blocks] * start * (1 - 1e-3))
            & (start < 1 - 1e-3)
        )
        at = np.flatnonzero(bounded)
        size[at], z[at] = self._cap[at], start[at]
        lacking = np.zeros(len(values))
        lacking[at] = self._cap[at] * start[at] - values[at]
        return _Point(values, size, z, bounded, lacking)

    def _rows(self, solution: Floats, point: _Point, turned: Flags, on: Ints) -> list[_Row]:
        """Return each row that some divisor breaks, with the divisor that breaks it most; ``on`` is what is bought."""
        place, variable = self._place[on], self._variable[on]
        own, line = np.unique(place, return_inverse=True)
        switched, over = point.size[variable] > 0, turned[variable]
        size = np.where(switched, point.size[variable], self._cap[variable])
        sizes = np.unique(size[switched])
        taken = np.bincount(line, weights=np.where(over, size, 0))
        lacking = np.where(over & ~switched, self._cap[variable] - point.values[variable], point.lacking[variable])
        z = np.where(over, 1 - point.z[variable], point.z[variable])
        amount = np.zeros((len(own), 2 * len(sizes)))
        column = np.searchsorted(sizes, size) + np.where(over, len(sizes), 0)
        np.add.at(amount, (line[switched], column[switched]), z[switched])
        sold = np.where(self._sold[own] >= 0, solution[self._sold[own]], 0)
        above = sold.sum(axis=1, keepdims=True) - np.cumsum(sold, axis=1)
        line_of, step = np.nonzero((self._lots[own] > 0) & ((taken > 0) | (not turned.any()))[:, None])
        reach = self._reach[own[line_of], step] - taken[line_of]
        rest = above[line_of, step] + np.bincount(line, weights=lacking)[line_of]
        amount = amount[line_of]
        best, divisor = np.full(len(step), VIOLATED), np.zeros(len(step))
        signed = np.concatenate([sizes, -sizes])
        for number in np.flatnonzero(sizes > 1):
            at = np.flatnonzero((amount[:, [number, number + len(sizes)]] > TINY).any(axis=1))
            whole, part = _split(reach[at] / sizes[number])
            left = (amount[at] * _rounded(signed / sizes[number], part[:, None])).sum(axis=1)
            broken = (left - whole) * (1 - part) - rest[at] / sizes[number]
            better = broken > best[at]
            best[at[better]], divisor[at[better]] = broken[better], sizes[number]
        return [
            _Row(int(own[line_of[row]]), int(step[row]), float(reach[row]), float(divisor[row]), float(best[row]))
            for row in np.flatnonzero(divisor)
        ]

    def _cut(self, row: _Row, point: _Point, turned: Flags) -> tuple[Ints, Floats, float]:
        """Return columns, their values, and the most that they may sum to."""
        whole, part = (float(value) for value in _split(np.array(row.reach / row.divisor)))
        rest = 1 / (row.divisor * (1 - part))
        inside = self._variable[self._begin[row.place] : self._begin[row.place + 1]]
        over, bounded, switched = turned[inside], point.bounded[inside], point.size[inside] > 0
        sign = np.where(over, -1, 1)
        step = sign * _rounded(sign * point.size[inside] / row.divisor, np.array(part)) / self._cap[inside]
        value = np.where(switched & ~bounded, step, np.where(over | bounded, rest, 0))
        most = whole + float((value * self._cap[inside])[over].sum())
        columns, values = [self._column[inside]], [value]
        for own in inside[bounded]:
            # ``z`` is at most one less the other starts of the block.
            less = float(point.size[own]) * rest - float(_rounded(point.size[own] / row.divisor, np.array(part)))
            other = np.arange(self._first[own], self._last[own])
            other = other[self._groups.group[other] != self._groups.group[own]]
            most += less
            columns.append(self._column[other])
            values.append(less / self._most[other])
        sold = self._sold[row.place, row.step + 1 :]
        columns.append(sold[sold >= 0])
        values.append(np.full(len(columns[-1]), -rest))
        return np.concatenate(columns), np.concatenate(values), most


def _split(values: Floats) -> tuple[Floats, Floats]:
    """Return whole parts and fractions, the latter zero where floats cannot tell."""
    whole = np.floor(values + TINY)
    part = values - whole
    return whole, np.where(part < TINY, 0.0, part)


def _rounded(values: Floats, part: Floats) -> Floats:
    whole = np.floor(values + TINY)
    return whole + np.maximum(0, values - whole - part) / (1 - part)


def _rows_of(cuts: list[tuple[Ints, Floats, float]], solution: Floats) -> Rows | None:
    """Return cuts as rows, each once."""
    seen = set()
    index, value, upper = [], [], []
    for columns, values, most in cuts:
        own, place = np.unique(columns, return_inverse=True)
        total = np.bincount(place, weights=values)
        on = np.abs(total) > TINY
        own, total = own[on], total[on]
        key = own.tobytes(), total.round(6).tobytes(), round(most, 6)
        if key not in seen and float(total @ solution[own]) > most + TINY:
            seen.add(key)
            index.append(own)
            value.append(total)
            upper.append(most)
    if not index:
        return None
    start = np.zeros(len(index) + 1, dtype=np.int64)
    np.cumsum([len(own) for own in index], out=start[1:])
    return Rows(np.array(upper), start, np.concatenate(index), np.concatenate(value))
