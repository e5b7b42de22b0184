"""From a book and its outcome to what is said before the gate: pure, in lots and prices per lot-hour.

By cell and hour: the price, what would be matched, what offers at or below the price would have left, and what orders
would still want at or above it (an order that accepts several cells counts in each). By order: how much would be
filled, and the cheapest price that it could have had.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exchange.clearing.book import Book, Order
from exchange.clearing.needs import satisfies
from exchange.clearing.outcome import Outcome

Slot = tuple[str, int]  # cell or order, hour


@dataclass(frozen=True)
class Line:
    """One price of a cell over slots `[start, end)`, and the lot-hours matched, left and unmet at it."""

    cell: str
    start: int
    end: int
    price: int
    matched: int
    spare: int
    unmet: int


@dataclass(frozen=True)
class Odds:
    """What a row of the book would get, in lot-hours, and the cheapest price a lot-hour; None without capacity."""

    order: str
    filled: int
    wanted: int
    limit: int
    best_price: int | None


def indicate(book: Book, outcome: Outcome) -> tuple[list[Line], list[Odds]]:
    """Return the lines of every priced cell and the odds of every order."""
    picture = _picture(book, outcome)
    odds = []
    unmet: dict[Slot, int] = defaultdict(int)
    for order in book.orders:
        best = picture.best_block(order) if order.is_block else picture.best_hours(order)
        filled = sum(picture.bought.get((order.id, slot), 0) for slot in range(order.earliest, order.latest))
        wanted = order.qmax * (order.hours if order.is_block else order.latest - order.earliest)
        odds.append(Odds(order.id, filled, wanted, order.limit, None if best is None else best.price))
        for slot, lots in picture.unmet(order, best, filled=filled):
            unmet[slot] += lots
    return list(picture.lines(unmet)), odds


@dataclass(frozen=True)
class _Best:
    """The cheapest that an order could have: the price a lot-hour rounded up, and for a block where and when."""

    price: int
    cells: tuple[str, ...] = ()
    start: int = 0


@dataclass(frozen=True)
class _Picture:
    book: Book
    outcome: Outcome
    price: Mapping[Slot, int]
    matched: Mapping[Slot, int]
    spare: Mapping[Slot, int]
    bought: Mapping[Slot, int]

    def cells(self, order: Order) -> list[str]:
        return [cell.id for cell in self.book.cells if satisfies(cell.attributes, order.needs)]

    def best_hours(self, order: Order) -> _Best | None:
        cells = self.cells(order)
        cheapest = [
            min(prices)
            for slot in range(order.earliest, order.latest)
            if (prices := [self.price[cell, slot] for cell in cells if (cell, slot) in self.price])
        ]
        return _Best(-(-sum(cheapest) // len(cheapest))) if cheapest else None

    def best_block(self, order: Order) -> _Best | None:
        found: list[tuple[int, int, str]] = []
        for cell in self.cells(order):
            for start in range(order.earliest, order.latest - order.hours + 1, self.book.grid):
                run = [self.price.get((cell, slot)) for slot in range(start, start + order.hours)]
                if None not in run:
                    found.append((sum(price for price in run if price is not None), start, cell))
        if not found:
            return None
        total, start, cell = min(found)
        return _Best(-(-total // order.hours), (cell,), start)

    def unmet(self, order: Order, best: _Best | None, *, filled: int) -> Iterator[tuple[Slot, int]]:
        if not order.is_block:
            for slot in range(order.earliest, order.latest):
                missing = order.qmax - self.bought.get((order.id, slot), 0)
                for cell in self.cells(order) if missing else ():
                    if self.price.get((cell, slot), order.limit + 1) <= order.limit:
                        yield (cell, slot), missing
        elif not filled and best is not None and best.price <= order.limit:
            for cell in best.cells:
                for slot in range(best.start, best.start + order.hours):
                    yield (cell, slot), order.qmax

    def lines(self, unmet: Mapping[Slot, int]) -> Iterator[Line]:
        for cell, runs in sorted(self.outcome.prices.items()):
            for run in runs:
                slots = [(cell, slot) for slot in range(run.t0, run.t1)]
                sums = (sum(of.get(slot, 0) for slot in slots) for of in (self.matched, self.spare, unmet))
                yield Line(cell, run.t0, run.t1, run.price, *sums)


def _picture(book: Book, outcome: Outcome) -> _Picture:
    price = {
        (cell, slot): run.price
        for cell, runs in outcome.prices.items()
        for run in runs
        for slot in range(run.t0, run.t1)
    }
    sold: dict[Slot, int] = defaultdict(int)
    bought: dict[Slot, int] = defaultdict(int)
    for trade in outcome.trades:
        for slot in range(trade.t0, trade.t1):
            sold[trade.offer, slot] += trade.qty
            bought[trade.order, slot] += trade.qty
    matched: dict[Slot, int] = defaultdict(int)
    spare: dict[Slot, int] = defaultdict(int)
    for offer in book.offers:
        for slot in range(offer.t0, offer.t1):
            at = (offer.cell, slot)
            matched[at] += sold[offer.id, slot]
            if offer.reserve <= price.get(at, -1):
                spare[at] += offer.qty - sold[offer.id, slot]
    return _Picture(book, outcome, price, matched, spare, bought)
