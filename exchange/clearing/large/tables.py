"""The arrays of a large book: merit orders, orders, and the choices of orders."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """The time axis: periods ``[begin, end)`` in slots, in each of which nothing of the book changes."""

    begin: Ints
    end: Ints

    @cached_property
    def hours(self) -> Ints:
        """Slots in each period."""
        return self.end - self.begin

    @cached_property
    def clock(self) -> Ints:
        """Hours on offer before each period, and in all."""
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.hours)])


@dataclass(frozen=True)
class Stacks:
    """Merit orders: entry ``[cell, period, step]``, cheapest first (ties: seq, id), padded with steps of no lots."""

    reserve: Ints
    lots: Ints
    offer: Ints  # place in Book.offers, -1 in the padding

    @cached_property
    def reach(self) -> Ints:
        """Lots up to and including each step."""
        return np.cumsum(self.lots, axis=2)

    @cached_property
    def capacity(self) -> Ints:
        """Lots by (cell, period)."""
        return np.ascontiguousarray(self.reach[:, :, -1])

    def reserve_of(self, lot: int) -> Ints:
        """Return the reserve of the ``lot``-th cheapest lot (from 1) by (cell, period), 0 where there is none."""
        step = np.minimum((self.reach < lot).sum(axis=2), self.lots.shape[2] - 1)
        found: Ints = np.take_along_axis(self.reserve, step[:, :, None], axis=2)[:, :, 0]
        return np.where(self.capacity >= lot, found, 0)


@dataclass(frozen=True)
class Orders:
    """The orders of the book, by place in ``Book.orders``; windows of hourly orders are in periods."""

    block: Flags
    single_site: Flags
    qmin: Ints
    qmax: Ints
    limit: Ints
    hours: Ints
    needs: Ints  # row of the compatible cells
    first: Ints
    last: Ints


@dataclass(frozen=True)
class Groups:
    """What blocks can choose from: group ``g`` has the alternatives ``begin[g]`` to ``begin[g + 1]``.

    A group is one start and all its cells, or one start and one cell of a single-site block.
    """

    order: Ints
    first: Ints
    last: Ints
    begin: Ints
    cell: Ints  # of each alternative
    cap: Ints  # lots, of each alternative

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def group(self) -> Ints:
        """The group of each alternative."""
        return np.repeat(np.arange(len(self.order)), np.diff(self.begin))


@dataclass(frozen=True)
class Hourly:
    """What hourly orders can choose from: one cell in one period, where some reserve is within the limit."""

    order: Ints
    period: Ints
    cell: Ints
    cap: Ints
    most: Ints  # lots that the order may take in the period, over all its choices

    def __len__(self) -> int:
        return len(self.order)


def ranges(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Return ``begin[i]`` to ``end[i] - 1`` for each ``i`` in one array, and beside each value its ``i``."""
    lengths = end - begin
    owner = np.repeat(np.arange(len(begin)), lengths)
    offset = np.cumsum(lengths) - lengths
    values = np.arange(int(lengths.sum())) - offset[owner] + begin[owner]
    return values, owner
