"""The open book around a draft order, and how much of it is left for the draft: pure, on plain values.

Slots are hours from `Range.first`. What is called *left* is a lower bound: of the supply that the draft could use at
its limit, the whole quantity of every order ahead is taken that could use any of it, in every hour in which that
order may run. Orders ahead bid as much or more; the draft would be the last of its price. So whatever those orders
get, and wherever their blocks come to lie, at least that much of this supply stays unused by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from catalog.offerings.needs import Needs
from exchange.orders.rules import OrderKind
from exchange.previews.table import CellTable, Integers, Mask

EVERYWHERE: Final = slice(None)  # all slots of a range


@dataclass(frozen=True)
class Range:
    """The slots `[first, end)` that are looked at, counted from the market's slot zero, and the market's grid."""

    first: int
    end: int
    step: int
    lot_units: int

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return self.end - self.first


@dataclass(frozen=True)
class OpenOffer:
    """Units of a cell, by its place in the table, in every slot of `[start, end)`, less what is held or sold."""

    cell: int
    start: int
    end: int
    units: int
    reserve_micros: int
    taken: tuple[tuple[int, int], ...] = ()  # (slot, units)
    # Of the price: credited for what is handed back and for what is paused, kept of what is sold back.
    return_credit_ppm: int | None = None
    pause_credit_ppm: int | None = None
    resale_commission_ppm: int | None = None


@dataclass(frozen=True)
class OpenOrder:
    """An order of the book: at most `units` in every slot of `[earliest, latest)` in which it may run."""

    needs: Needs
    earliest: int
    latest: int
    units: int
    limit_micros: int


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A draft order in slots and units; a block has `units_min` and `hours`, an hourly order neither."""

    kind: OrderKind
    units_min: int
    units_max: int
    hours: int
    earliest: int
    latest: int
    single_site: bool
    limit_micros: int
    needs: Needs


@dataclass(frozen=True)
class Match:
    """What a draft could be filled with.

    `units` is a block's level, for an hourly order the most in one hour; `start` and `end` are where: a block's
    hours, or the window. Zero units where nothing fits.
    """

    units: int
    unit_hours: int
    start: int
    end: int

    @property
    def fits(self) -> bool:
        """Whether there is anything for the draft."""
        return self.units > 0


class Book:
    """Supply and demand over a range, read once; `at(limit)` shows it as an order of that limit finds it."""

    def __init__(self, span: Range, table: CellTable, offers: Sequence[OpenOffer], orders: Sequence[OpenOrder]) -> None:
        self.span = span
        self.table = table
        self.offers = offers
        self._cells = _integers([offer.cell for offer in offers])
        self._reserves = _integers([offer.reserve_micros for offer in offers])
        self._units = _integers([offer.units for offer in offers])
        self._starts = self._cut([offer.start for offer in offers])
        self._ends = self._cut([offer.end for offer in offers])
        taken = [
            (number, slot - span.first, units)
            for number, offer in enumerate(offers)
            for slot, units in offer.taken
            if span.first <= slot < span.end
        ]
        self._taken_of, self._taken_at, self._taken_units = (_integers(column) for column in _columns(taken))
        # Orders of equal needs compete for the same cells: they are added up before they are looked at.
        masks: dict[bytes, int] = {}
        self._masks: list[Mask] = []
        by_needs: dict[Needs, int] = {}
        for order in orders:
            if order.needs not in by_needs:
                mask = table.meeting(order.needs)
                group = masks.setdefault(mask.tobytes(), len(masks))
                if group == len(self._masks):
                    self._masks.append(mask)
                by_needs[order.needs] = group
        self._groups = _integers([by_needs[order.needs] for order in orders])
        self._limits = _integers([order.limit_micros for order in orders])
        self._wanted = _integers([order.units for order in orders])
        self._earliest = self._cut([order.earliest for order in orders])
        self._latest = self._cut([order.latest for order in orders])
        self._seen: dict[int, View] = {}

    def at(self, limit_micros: int) -> "View":
        """Return the supply below a limit and the demand at or above it."""
        if limit_micros not in self._seen:
            self._seen[limit_micros] = View(self, self._supply(limit_micros), *self._demand(limit_micros))
        return self._seen[limit_micros]

    @property
    def rival_limits(self) -> list[int]:
        """The different limits of the orders in the book."""
        return [int(limit) for limit in np.unique(self._limits)]

    def reserves_of(self, cells: Mask, start: int, end: int) -> list[int]:
        """Return the reserves of the offers of these cells with an hour in `[start, end)`, the lowest first."""
        first, last = start - self.span.first, end - self.span.first
        chosen = cells[self._cells] & (self._starts < last) & (self._ends > first)
        return [int(reserve) for reserve in np.unique(self._reserves[chosen])]

    def within_reach(self, cells: Mask, start: int, end: int, *, limit_micros: int) -> list[OpenOffer]:
        """Return the offers of these cells below a limit with an hour in `[start, end)`."""
        first, last = start - self.span.first, end - self.span.first
        chosen = cells[self._cells] & (self._starts < last) & (self._ends > first) & (self._reserves < limit_micros)
        return [self.offers[int(number)] for number in np.flatnonzero(chosen)]

    def _supply(self, limit_micros: int) -> Integers:
        edges = np.zeros((len(self.table.codes), self.span.slots + 1), dtype=np.int64)
        chosen = self._reserves < limit_micros  # at its own reserve an offer gains nothing by a trade
        np.add.at(edges, (self._cells[chosen], self._starts[chosen]), self._units[chosen])
        np.subtract.at(edges, (self._cells[chosen], self._ends[chosen]), self._units[chosen])
        supply = np.cumsum(edges, axis=1)[:, :-1]
        gone = chosen[self._taken_of] if len(self._taken_of) else np.zeros(0, dtype=np.bool_)
        np.subtract.at(supply, (self._cells[self._taken_of[gone]], self._taken_at[gone]), self._taken_units[gone])
        return supply

    def _demand(self, limit_micros: int) -> tuple[Integers, Mask]:
        """Return what the orders ahead want by group and slot, and each group's cells."""
        edges = np.zeros((len(self._masks), self.span.slots + 1), dtype=np.int64)
        ahead = self._limits >= limit_micros
        np.add.at(edges, (self._groups[ahead], self._earliest[ahead]), self._wanted[ahead])
        np.subtract.at(edges, (self._groups[ahead], self._latest[ahead]), self._wanted[ahead])
        masks = np.array(self._masks, dtype=np.bool_).reshape(len(self._masks), len(self.table.codes))
        return np.cumsum(edges, axis=1)[:, :-1], masks

    def _cut(self, slots: Sequence[int]) -> Integers:
        return np.clip(_integers(slots) - self.span.first, 0, self.span.slots)


class View:
    """The book as an order of one limit finds it: arrays by cell and slot."""

    def __init__(self, book: Book, supply: Integers, wanted: Integers, masks: Mask) -> None:
        self.span = book.span
        self.supply = supply
        self._wanted = wanted
        self._masks = masks

    def supply_of(self, cells: Mask, slots: slice = EVERYWHERE) -> Integers:
        """Return the units of these cells in every slot that the limit reaches."""
        total: Integers = self.supply[:, slots][cells].sum(axis=0)
        return total

    def ahead_of(self, cells: Mask, slots: slice = EVERYWHERE) -> Integers:
        """Return the units in every slot that orders ahead want and could take from these cells."""
        touching = self._masks[:, cells].any(axis=1)
        total: Integers = self._wanted[:, slots][touching].sum(axis=0)
        return total

    def left_of(self, cells: Mask, slots: slice = EVERYWHERE) -> Integers:
        """Return the units of these cells together that are left in every slot, in whole lots."""
        return self._lots(np.maximum(self.supply_of(cells, slots) - self.ahead_of(cells, slots), 0))

    def left_by_cell(self, cells: Mask, slots: slice = EVERYWHERE) -> Integers:
        """Return the units of each of these cells alone that are left in every slot, in whole lots."""
        wanted = self._wanted[:, slots]
        ahead = [wanted[self._masks[:, cell]].sum(axis=0) for cell in np.flatnonzero(cells)]
        supply = self.supply[:, slots][cells]
        return self._lots(np.maximum(supply - np.array(ahead, dtype=np.int64).reshape(supply.shape), 0))

    def match(self, draft: Draft, cells: Mask) -> Match:
        """Return what is left for a draft that these cells can serve."""
        window = slice(draft.earliest - self.span.first, draft.latest - self.span.first)
        if draft.kind is OrderKind.HOURLY:
            hourly = np.minimum(self.left_of(cells, window), draft.units_max)
            return Match(int(hourly.max(initial=0)), int(hourly.sum()), draft.earliest, draft.latest)
        levels = self.levels(draft, cells, window)
        # Whole steps of the grid, counted from the market's slot zero; the earliest of the best.
        steps = np.arange(draft.earliest, draft.earliest + len(levels)) % self.span.step == 0
        levels = np.where(steps, levels, 0)
        best = int(levels.argmax()) if len(levels) else 0
        units = min(int(levels[best]), draft.units_max) if len(levels) else 0
        start = draft.earliest + best
        if units < draft.units_min:
            return Match(0, 0, start, start + draft.hours)
        return Match(units, units * draft.hours, start, start + draft.hours)

    def levels(self, draft: Draft, cells: Mask, slots: slice = EVERYWHERE) -> Integers:
        """Return by its first slot the most units that a block can have over its hours in a row."""
        length = len(range(*slots.indices(self.span.slots)))
        if length < draft.hours:
            return np.zeros(0, dtype=np.int64)
        if not cells.any():
            return np.zeros(length - draft.hours + 1, dtype=np.int64)
        if draft.single_site:
            best: Integers = _lowest(self.left_by_cell(cells, slots), draft.hours).max(axis=0)
            return best
        together: Integers = _lowest(self.left_of(cells, slots)[np.newaxis, :], draft.hours)[0]
        return together

    def _lots(self, units: Integers) -> Integers:
        return units - units % self.span.lot_units


def _lowest(rows: Integers, hours: int) -> Integers:
    """Return the lowest of each `hours` neighbours in every row, by doubling: so many steps as `hours` has bits."""
    lowest, width = rows, 1
    while width < hours:
        shift = min(width, hours - width)
        lowest = np.minimum(lowest[:, : lowest.shape[1] - shift], lowest[:, shift:])
        width += shift
    return lowest


def _integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def _columns(rows: Sequence[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
