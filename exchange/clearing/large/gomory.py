"""Gomory's mixed-integer cuts: rows that every allocation with whole binaries keeps and a vertex breaks.

A row of the simplex tableau at a vertex writes a basic binary by what is not basic, each counted by its distance ``t``
from the bound where it stands:

    x_i + sum of a_j t_j = b,        t_j >= 0,    f = b - floor(b) > 0

Whole ``x_i`` and whole ``t_j`` (of binaries) give the cut

    sum of c_j t_j >= f
    c_j = frac(a_j) or f (1 - frac(a_j)) / (1 - f), the lower of both, of a binary
    c_j = a_j where positive, else -a_j f / (1 - f), of lots, supply and slacks

(Gomory, An algorithm for the mixed integer problem, 1960; many of them a round, as in Balas, Ceria, Cornuejols and
Natraj, Gomory cuts revisited, 1996). The cut is written in the program's own columns and divided by its largest
coefficient.

What floats could get wrong is left out: basics within ``NEAR`` of a whole number, long cuts, and cuts that are hardly
broken. A coefficient that is tiny beside the largest one is replaced by the most that its term could be worth, which
only weakens the cut. The cuts guide the search and tell how far it may still go; they prove nothing by themselves.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.tables import Floats, Ints, ranges
from exchange.clearing.solver import Arrays, Basis, Relaxation, Rows

NEAR = 0.02  # of a whole number
TINY = 1e-9
SMALLEST = 1e-5  # coefficient, beside the largest of its cut
BROKEN = 1e-4  # distance from the vertex to a cut that is worth its row
MARGIN = 1e-8  # that a cut is weaker than computed, beside its largest coefficient


@dataclass(frozen=True)
class Amount:
    """How many cuts a round may have."""

    tried: int = 120  # rows of the tableau, the most fractional first
    kept: int = 100
    length: int = 500  # columns


class Gomory:
    """Finds cuts for one relaxation, vertex after vertex; it has to be told of every row that the relaxation gets."""

    def __init__(self, arrays: Arrays) -> None:
        self._columns = len(arrays.objective)
        self._upper, self._binary = arrays.upper, arrays.integral
        by_row = np.argsort(arrays.index, kind="stable")
        self._index = np.repeat(np.arange(self._columns), np.diff(arrays.start))[by_row]
        self._value = arrays.value[by_row]
        self._begin = np.concatenate([[0], np.cumsum(np.bincount(arrays.index, minlength=len(arrays.row_lower)))])
        self._row_lower, self._row_upper = arrays.row_lower, arrays.row_upper

    def add(self, rows: Rows) -> None:
        """Note rows that the relaxation got."""
        self._begin = np.concatenate([self._begin, self._begin[-1] + rows.start[1:]])
        self._index = np.concatenate([self._index, rows.index])
        self._value = np.concatenate([self._value, rows.value])
        self._row_lower = np.concatenate([self._row_lower, np.full(len(rows.upper), -np.inf)])
        self._row_upper = np.concatenate([self._row_upper, rows.upper])

    def cuts(self, relaxation: Relaxation, values: Floats, *, amount: Amount) -> Rows | None:
        """Return rows that the vertex ``values`` breaks, the most broken first; None where there is none."""
        basis = relaxation.basis()
        if basis is None or len(basis.rows) != len(self._row_upper) or len(basis.columns) != self._columns:
            return None
        places = self._fractional(basis, values)[: amount.tried]
        if not len(places):
            return None
        row, multiplier, cut = self._multipliers(relaxation, places)
        whole = values[basis.variables[places]]
        part = whole - np.floor(whole)
        left, index, coefficient = self._columns_part(row, multiplier, cut, basis, values, part)
        rest, row_index, row_coefficient = self._rows_part(row, multiplier, cut, basis, part)
        return self._rows(
            *_sums(np.concatenate([index, row_index]), np.concatenate([coefficient, row_coefficient])),
            part - left - rest,
            values,
            amount,
        )

    def _fractional(self, basis: Basis, values: Floats) -> Ints:
        """Return the places of basic binaries, the most fractional first."""
        places = np.flatnonzero(basis.variables >= 0)
        places = places[self._binary[basis.variables[places]]]
        whole = values[basis.variables[places]]
        away = np.abs(whole - np.rint(whole))
        ranked = np.argsort(-away, kind="stable")
        return places[ranked[away[ranked] > NEAR]]

    def _multipliers(self, relaxation: Relaxation, places: Ints) -> tuple[Ints, Floats, Ints]:
        """Return rows, what each is multiplied by, and the cut that this is for."""
        found = [relaxation.inverse_row(int(place)) for place in places]
        rows = [np.flatnonzero(np.abs(inverse) > TINY) for inverse in found]
        return (
            np.concatenate(rows),
            np.concatenate([inverse[own] for inverse, own in zip(found, rows, strict=True)]),
            np.repeat(np.arange(len(places)), [len(own) for own in rows]),
        )

    def _expanded(self, row: Ints, multiplier: Floats, cut: Ints) -> tuple[Ints, Floats]:
        """Return the entries of sums of rows, at ``cut * columns + column``."""
        entry, owner = ranges(self._begin[row], self._begin[row + 1])
        return _sums(cut[owner] * self._columns + self._index[entry], multiplier[owner] * self._value[entry])

    def _columns_part(
        self, row: Ints, multiplier: Floats, cut: Ints, basis: Basis, values: Floats, part: Floats
    ) -> tuple[Floats, Ints, Floats]:
        """Return what the columns' distances add to each cut: a constant and entries."""
        key, amount = self._expanded(row, multiplier, cut)
        own, column = key // self._columns, key % self._columns
        out = ~basis.columns[column] & (np.abs(amount) > TINY)
        key, own, column, amount = key[out], own[out], column[out], amount[out]
        at_upper = (self._upper[column] > 0) & (values[column] > self._upper[column] / 2)
        distance = np.where(at_upper, -amount, amount)
        fraction = np.maximum(distance - np.floor(distance + TINY), 0)
        share = part[own]
        rounded = np.where(fraction <= share, fraction, share * (1 - fraction) / (1 - share))
        coefficient = np.where(self._binary[column], rounded, _continuous(distance, share))
        constant = np.bincount(
            own, weights=np.where(at_upper, coefficient * self._upper[column], 0), minlength=len(part)
        )
        return constant.astype(np.float64), key, np.where(at_upper, -coefficient, coefficient)

    def _rows_part(
        self, row: Ints, multiplier: Floats, cut: Ints, basis: Basis, part: Floats
    ) -> tuple[Floats, Ints, Floats]:
        """Return what the slacks of rows that bind add to each cut; equations have none."""
        out = ~basis.rows[row] & (self._row_lower[row] < self._row_upper[row])
        row, multiplier, cut = row[out], multiplier[out], cut[out]
        at_upper = np.isfinite(self._row_upper[row])
        coefficient = _continuous(np.where(at_upper, multiplier, -multiplier), part[cut])
        bound = np.where(at_upper, self._row_upper[row], self._row_lower[row])
        sign = np.where(at_upper, -1.0, 1.0)
        constant = np.bincount(cut, weights=-sign * coefficient * bound, minlength=len(part))
        return constant.astype(np.float64), *self._expanded(row, sign * coefficient, cut)

    def _rows(self, key: Ints, value: Floats, least: Floats, vertex: Floats, amount: Amount) -> Rows | None:
        """Return the cuts ``sum of value >= least`` that are worth it as rows of at most ``-least``."""
        count = len(least)
        own, column = key // self._columns, key % self._columns
        largest = np.zeros(count)
        np.maximum.at(largest, own, np.abs(value))
        small = np.abs(value) < largest[own] * SMALLEST
        # At most its upper bound times a positive coefficient, and at most nothing times a negative one.
        most = np.where(small, np.maximum(value, 0) * self._upper[column], 0)
        least = least - np.bincount(own, weights=most, minlength=count)
        own, column, value = own[~small], column[~small], value[~small]
        length = np.bincount(own, minlength=count)
        norm = np.sqrt(np.bincount(own, weights=value * value, minlength=count))
        reached = np.bincount(own, weights=value * vertex[column], minlength=count)
        broken = (least - reached) / np.where(norm > 0, norm, 1)
        good = np.flatnonzero((length > 0) & (length <= amount.length) & (broken > BROKEN))
        good = good[np.argsort(-broken[good], kind="stable")][: amount.kept]
        if not len(good):
            return None
        begin = np.searchsorted(own, np.arange(count + 1))
        entry, owner = ranges(begin[good], begin[good + 1])
        start = np.concatenate([[0], np.cumsum(length[good])])
        upper = -least[good] / largest[good] + MARGIN
        return Rows(upper, start, column[entry], -value[entry] / largest[good][owner])


def _continuous(distance: Floats, share: Floats) -> Floats:
    return np.where(distance > 0, distance, -distance * share / (1 - share))


def _sums(key: Ints, value: Floats) -> tuple[Ints, Floats]:
    """Return each key once, rising, with the sum of its values."""
    own, place = np.unique(key, return_inverse=True)
    return own, np.bincount(place, weights=value, minlength=len(own)).astype(np.float64)
