"""The slow, obvious answer: try every integer allocation of a tiny book.

Shares nothing with the engine but the book. An allocation of blocks is tried slot by slot with every division of the
hourly orders; a division counts if the lower end of its price interval suits spare supply and filled demand
(``STRICT``), or if its dearest accepted reserve suits filled demand (``LEGAL``), or always (``FREE``). What couples
the slots is only what blocks and budgets pay, so each slot keeps the divisions that are best for some trade-off of
welfare and payments, and slots are added up one after the other.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Any

from exchange.clearing.book import Attributes, Book, Needs, Order


class Prices(Enum):
    """Which prices an allocation has to admit."""

    FREE = "free"
    LEGAL = "legal"
    STRICT = "strict"


class TooLarge(Exception):
    """The book has more combinations than patience allows."""


@dataclass(frozen=True)
class Run:
    """A block that runs: lots by cell over ``[start, start + hours)``."""

    order: Order
    start: int
    shares: tuple[tuple[str, int], ...]


# What one slot may do: its welfare, the price of each traded cell, and what hourly orders pay by buyer.
Division = tuple[int, dict[str, int], dict[str, int]]


class Enumeration:
    """All allocations of one book."""

    def __init__(self, book: Book, *, combinations: int = 30_000) -> None:
        self.book = book
        self.slots = sorted({slot for offer in book.offers for slot in range(offer.t0, offer.t1)})
        self.supply = {
            (cell.id, slot): sorted(
                reserve
                for offer in book.offers
                for reserve in [offer.reserve] * offer.qty
                if offer.cell == cell.id and offer.t0 <= slot < offer.t1
            )
            for cell in book.cells
            for slot in self.slots
        }
        self.cells = {
            order.id: [cell.id for cell in book.cells if qualifies(cell.attributes, order.needs)]
            for order in book.orders
        }
        self.hourly = [order for order in book.orders if not order.is_block]
        self.choices: list[list[Run | None]] = [[None, *self.runs(order)] for order in book.orders if order.is_block]
        self.sites = [
            [(order.id, cell) for cell in self.cells[order.id]] or [(order.id, "")]
            for order in self.hourly
            if order.single_site
        ]
        size = math.prod(len(choice) for choice in self.choices) * math.prod(len(site) for site in self.sites)
        if size > combinations:
            raise TooLarge(f"{size} combinations")
        self._known: dict[object, list[Division]] = {}

    def runs(self, order: Order) -> Iterator[Run]:
        """Yield everything a block could be by itself."""
        for start in range(order.earliest, order.latest - order.hours + 1, self.book.grid):
            room = [
                min(
                    order.qmax,
                    *(len(self.supply.get((cell, slot), ())) for slot in range(start, start + order.hours)),
                )
                for cell in self.cells[order.id]
            ]
            for lots in product(*(range(most + 1) for most in room)):
                shares = tuple((cell, count) for cell, count in zip(self.cells[order.id], lots, strict=True) if count)
                if order.qmin <= sum(lots) <= order.qmax and (not order.single_site or len(shares) == 1):
                    yield Run(order, start, shares)

    def best(self, prices: Prices) -> int | None:
        """Return the highest welfare of any allocation that admits such prices, None if there is none."""
        best: int | None = None
        for sites in product(*self.sites):
            for chosen in product(*self.choices):
                found = self._best_around([run for run in chosen if run], dict(sites), prices, best)
                if found is not None and (best is None or found > best):
                    best = found
        return best

    def exceeds(self, welfare: int, prices: Prices) -> bool:
        """Return whether any allocation that admits such prices is worth more."""
        return any(
            (self._best_around([run for run in chosen if run], dict(sites), prices, welfare) or 0) > welfare
            for sites in product(*self.sites)
            for chosen in product(*self.choices)
        )

    def _best_around(self, runs: list[Run], sites: dict[str, str], prices: Prices, to_beat: int | None) -> int | None:
        worth = sum(run.order.limit * run.order.hours * sum(lots for _, lots in run.shares) for run in runs)
        slots = []
        for slot in self.slots:
            used: dict[str, int] = {}
            for run in runs:
                if run.start <= slot < run.start + run.order.hours:
                    for cell, lots in run.shares:
                        used[cell] = used.get(cell, 0) + lots
            if any(lots > len(self.supply[cell, slot]) for cell, lots in used.items()):
                return None
            divisions = self._divisions(slot, used, sites, prices)
            if not divisions:
                return None
            slots.append(divisions)
        most = worth + sum(max(division[0] for division in divisions) for divisions in slots)
        if to_beat is not None and most <= to_beat:
            return None
        if prices is Prices.FREE:
            return most
        return self._add_up(runs, worth, slots)

    def _add_up(self, runs: list[Run], worth: int, slots: list[list[Division]]) -> int | None:
        """Add the slots up, keeping for each vector of payments the best welfare; then apply the limits."""
        caps = [run.order.limit * run.order.hours * sum(lots for _, lots in run.shares) for run in runs]
        buyers = sorted(self.book.budgets)
        caps += [self.book.budgets[buyer] for buyer in buyers]
        frontier: dict[tuple[int, ...], int] = {(0,) * len(caps): worth}
        for slot, divisions in zip(self.slots, slots, strict=True):
            options = {self._payments(division, runs, buyers, slot): division[0] for division in reversed(divisions)}
            for division in divisions:
                key = self._payments(division, runs, buyers, slot)
                options[key] = max(options[key], division[0])
            added: dict[tuple[int, ...], int] = {}
            for paid, welfare in frontier.items():
                for more, gain in options.items():
                    total = tuple(a + b for a, b in zip(paid, more, strict=True))
                    if all(have <= cap for have, cap in zip(total, caps, strict=True)):
                        added[total] = max(added.get(total, welfare + gain), welfare + gain)
            frontier = _undominated(added)
        return max(frontier.values(), default=None)

    @staticmethod
    def _payments(division: Division, runs: list[Run], buyers: list[str], slot: int) -> tuple[int, ...]:
        _, price, spent = division
        by_run = [
            sum(price[cell] * lots for cell, lots in run.shares)
            if run.start <= slot < run.start + run.order.hours
            else 0
            for run in runs
        ]
        by_buyer = [
            spent.get(buyer, 0) + sum(paid for run, paid in zip(runs, by_run, strict=True) if run.order.buyer == buyer)
            for buyer in buyers
        ]
        return (*by_run, *by_buyer)

    def _divisions(self, slot: int, used: dict[str, int], sites: dict[str, str], prices: Prices) -> list[Division]:
        key = (slot, tuple(sorted(used.items())), tuple(sorted(sites.items())), prices)
        if key not in self._known:
            self._known[key] = list(self._every_division(slot, used, sites, prices))
        return self._known[key]

    def _every_division(
        self, slot: int, used: dict[str, int], sites: dict[str, str], prices: Prices
    ) -> Iterator[Division]:
        active = [order for order in self.hourly if order.earliest <= slot < order.latest]
        for lots in product(*(self._own_divisions(order, slot, sites) for order in active)):
            demand = dict(used)
            for shares in lots:
                for cell, count in shares.items():
                    demand[cell] = demand.get(cell, 0) + count
            if any(count > len(self.supply[cell, slot]) for cell, count in demand.items()):
                continue
            price = self._lowest_prices(slot, active, lots, demand, prices)
            if price is None:
                continue
            welfare = -sum(sum(self.supply[cell, slot][:count]) for cell, count in demand.items())
            spent: dict[str, int] = {}
            for order, shares in zip(active, lots, strict=True):
                welfare += order.limit * sum(shares.values())
                paid = sum(price[cell] * count for cell, count in shares.items())
                spent[order.buyer] = spent.get(order.buyer, 0) + paid
            yield welfare, price, spent

    def _own_divisions(self, order: Order, slot: int, sites: dict[str, str]) -> list[dict[str, int]]:
        cells = [sites[order.id]] if order.single_site else self.cells[order.id]
        cells = [cell for cell in cells if self.supply.get((cell, slot))]
        return [
            {cell: count for cell, count in zip(cells, lots, strict=True) if count}
            for lots in product(*(range(min(order.qmax, len(self.supply[cell, slot])) + 1) for cell in cells))
            if sum(lots) <= order.qmax
        ]

    def _lowest_prices(
        self,
        slot: int,
        active: list[Order],
        lots: tuple[dict[str, int], ...],
        demand: dict[str, int],
        prices: Prices,
    ) -> dict[str, int] | None:
        """Return the lowest price of each traded cell, None where no price would do."""
        lowest = {}
        for cell, count in demand.items():
            stack = self.supply[cell, slot]
            floor = stack[count - 1]
            ceilings = [order.limit for order, shares in zip(active, lots, strict=True) if shares.get(cell)]
            if prices is Prices.STRICT:
                ceilings += stack[count : count + 1]
                for order, shares in zip(active, lots, strict=True):
                    if cell in self.cells[order.id] and sum(shares.values()) < order.qmax:
                        floor = max(floor, order.limit)
            if prices is not Prices.FREE and ceilings and floor > min(ceilings):
                return None
            lowest[cell] = floor
        return lowest


def _undominated(frontier: dict[tuple[int, ...], int]) -> dict[tuple[int, ...], int]:
    kept: dict[tuple[int, ...], int] = {}
    for paid, welfare in sorted(frontier.items(), key=lambda item: (-item[1], item[0])):
        if not any(all(a <= b for a, b in zip(other, paid, strict=True)) for other in kept):
            kept[paid] = welfare
    return kept


def qualifies(attributes: Attributes, needs: Needs) -> bool:
    """Return whether a cell is what an order needs; what the cell does not state it does not have."""
    asked: dict[str, Any] = needs.to_document()
    has: dict[str, Any] = attributes.to_document()
    for name in ("model", "region", "interconnect"):
        if name in asked and has.get(name) not in asked[name]:
            return False
    for name in ("mem_gb", "tflops", "green_pct", "security"):
        if f"min_{name}" in asked and not has.get(name, -1) >= asked[f"min_{name}"]:
            return False
    if "max_latency" in asked:
        latency = has.get("latency_ms", {})
        metro = asked["max_latency"]["metro"]
        return metro in latency and latency[metro] <= asked["max_latency"]["ms"]
    return True
