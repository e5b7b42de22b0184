"""The book as the engine sees it: periods, merit orders, and what each order could take.

A period is a run of slots in which nothing of the book changes, so that one row of it stands for all its slots; on
the slot axis every period is one slot. All indices follow the canonical order of the book, so equal books give equal
models whatever the order of their rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from exchange.clearing import needs
from exchange.clearing.book import Book, Offer, Order

# Starts of one block times its hours. Later starts are cut off and the round is marked degraded; a day's block may
# still start in any of 4,000 hours.
MAX_COVER = 100_000


@dataclass(frozen=True, slots=True)
class Period:
    """The slots ``[t0, t1)``, all alike."""

    t0: int
    t1: int

    @property
    def hours(self) -> int:
        """Its length in slots."""
        return self.t1 - self.t0


@dataclass(frozen=True, slots=True)
class Step:
    """One offer in one cell and period: ``offer`` is its place in ``Book.offers``."""

    offer: int
    reserve: int
    qty: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """One cell in which a block could run over the periods ``[first, last)``, at a level of up to ``cap``."""

    cell: int
    first: int
    last: int
    cap: int


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives of one block that may be taken together: one start, and all its cells or (single site) one."""

    order: int
    first: int
    last: int
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Market:
    """A book with everything looked up: ``stacks[cell][period]`` is a merit order, dearest last."""

    book: Book
    periods: tuple[Period, ...]
    stacks: tuple[tuple[tuple[Step, ...], ...], ...]
    capacity: tuple[tuple[int, ...], ...]
    compatible: tuple[tuple[int, ...], ...]
    windows: tuple[range, ...]
    runs: tuple[tuple[tuple[int, int], ...], ...]
    truncated: bool

    @cached_property
    def hourly(self) -> tuple[int, ...]:
        """The hourly orders, in canonical order."""
        return tuple(index for index, order in enumerate(self.book.orders) if not order.is_block)

    @cached_property
    def blocks(self) -> tuple[int, ...]:
        """The block orders, in canonical order."""
        return tuple(index for index, order in enumerate(self.book.orders) if order.is_block)

    @cached_property
    def active(self) -> tuple[tuple[int, ...], ...]:
        """For each period the hourly orders whose window holds it."""
        return tuple(
            tuple(order for order in self.hourly if period in self.windows[order])
            for period in range(len(self.periods))
        )

    @cached_property
    def every_group(self) -> tuple[Group, ...]:
        """Every group of every block that capacity allows, at whatever price."""
        return tuple(group for order in self.blocks for group in _groups(self, order))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Every group of every block that could ever be legal: what no price can make worth its limit is left out."""
        return tuple(kept for group in self.every_group if (kept := _worthwhile(self, group)) is not None)

    def reserve_of(self, lot: int, *, cell: int, period: int) -> int:
        """Return the reserve of the ``lot``-th cheapest lot (from 1), which has to exist."""
        for step in self.stacks[cell][period]:
            lot -= step.qty
            if lot <= 0:
                return step.reserve
        raise AssertionError("fewer lots than asked for")


def build(book: Book, *, slotwise: bool) -> Market:
    """Index a canonical book; ``slotwise`` makes every period one slot instead of merging equal ones."""
    cell_index = {cell.id: index for index, cell in enumerate(book.cells)}
    compatible = tuple(
        tuple(index for index, cell in enumerate(book.cells) if needs.satisfies(cell.attributes, order.needs))
        for order in book.orders
    )
    offers_of: list[list[int]] = [[] for _ in book.cells]
    for index, offer in enumerate(book.offers):
        offers_of[cell_index[offer.cell]].append(index)
    possible = [
        _starts(order, book.grid, [book.offers[offer] for cell in cells for offer in offers_of[cell]])
        for order, cells in zip(book.orders, compatible, strict=True)
    ]
    starts = [found[: _most_starts(order)] for order, found in zip(book.orders, possible, strict=True)]
    periods = _periods(book, starts, slotwise=slotwise)
    stacks = tuple(tuple(_merit_order(book, offers, period) for period in periods) for offers in offers_of)
    return Market(
        book=book,
        periods=periods,
        stacks=stacks,
        capacity=tuple(tuple(sum(step.qty for step in stack) for stack in row) for row in stacks),
        compatible=compatible,
        windows=tuple(_window(order, periods) for order in book.orders),
        runs=_runs(book, starts, periods),
        truncated=possible != starts,
    )


def slots_on_offer(book: Book) -> int:
    """Return how many slots have any capacity at all."""
    covered, reached = 0, None
    for t0, t1 in sorted((offer.t0, offer.t1) for offer in book.offers):
        begin = t0 if reached is None else max(t0, reached)
        if t1 > begin:
            covered += t1 - begin
            reached = t1
    return covered


def _starts(order: Order, grid: int, offers: list[Offer]) -> range:
    """Return the starts of a block that lie inside both its window and its cells' capacity."""
    if not order.is_block or not offers:
        return range(0)
    begin = max(order.earliest, min(offer.t0 for offer in offers))
    begin += (order.earliest - begin) % grid
    end = min(order.latest, max(offer.t1 for offer in offers)) - order.hours
    return range(begin, end + 1, grid)


def _most_starts(order: Order) -> int:
    return max(1, MAX_COVER // max(1, order.hours))


def _periods(book: Book, starts: list[range], *, slotwise: bool) -> tuple[Period, ...]:
    covered = sorted({(offer.t0, offer.t1) for offer in book.offers})
    edges = {edge for window in covered for edge in window}
    if slotwise:
        edges.update(slot for t0, t1 in covered for slot in range(t0, t1))
    for order, found in zip(book.orders, starts, strict=True):
        edges.update(() if order.is_block else (order.earliest, order.latest))
        edges.update(found)
        edges.update(start + order.hours for start in found)
    ordered = sorted(edges)
    spans = (Period(t0, t1) for t0, t1 in pairwise(ordered))
    return tuple(_on_offer(spans, covered))


def _on_offer(spans: Iterable[Period], covered: list[tuple[int, int]]) -> Iterable[Period]:
    reached, waiting = None, iter([*covered, None])
    upcoming = next(waiting)
    for span in spans:
        while upcoming is not None and upcoming[0] <= span.t0:
            reached = upcoming[1] if reached is None else max(reached, upcoming[1])
            upcoming = next(waiting)
        if reached is not None and span.t1 <= reached:
            yield span


def _merit_order(book: Book, offers: list[int], period: Period) -> tuple[Step, ...]:
    """Return the offers open in a period by (reserve, seq, id); ``Book.offers`` is already by (seq, id)."""
    steps = (
        Step(index, book.offers[index].reserve, book.offers[index].qty)
        for index in offers
        if book.offers[index].t0 <= period.t0 and period.t1 <= book.offers[index].t1
    )
    return tuple(sorted(steps, key=lambda step: (step.reserve, step.offer)))


def _window(order: Order, periods: tuple[Period, ...]) -> range:
    inside = [
        index for index, period in enumerate(periods) if order.earliest <= period.t0 and period.t1 <= order.latest
    ]
    return range(inside[0], inside[-1] + 1) if inside else range(0)


def _runs(book: Book, starts: list[range], periods: tuple[Period, ...]) -> tuple[tuple[tuple[int, int], ...], ...]:
    begins = {period.t0: index for index, period in enumerate(periods)}
    ends = {period.t1: index + 1 for index, period in enumerate(periods)}
    before = [0]
    for period in periods:
        before.append(before[-1] + period.hours)

    def runs_of(order: Order, found: range) -> Iterable[tuple[int, int]]:
        for start in found:
            first, last = begins.get(start), ends.get(start + order.hours)
            # A gap without any capacity makes the run shorter than the block.
            if first is not None and last is not None and before[last] - before[first] == order.hours:
                yield first, last

    return tuple(tuple(runs_of(order, found)) for order, found in zip(book.orders, starts, strict=True))


def _groups(market: Market, index: int) -> Iterable[Group]:
    order = market.book.orders[index]
    for first, last in market.runs[index]:
        found = []
        for cell in market.compatible[index]:
            cap = min(order.qmax, *market.capacity[cell][first:last])
            if cap >= (order.qmin if order.single_site else 1):
                found.append(Alternative(cell, first, last, cap))
        if order.single_site:
            yield from (Group(index, first, last, (alternative,)) for alternative in found)
        elif sum(alternative.cap for alternative in found) >= order.qmin:
            yield Group(index, first, last, tuple(found))


def _worthwhile(market: Market, group: Group) -> Group | None:
    """Return the group without the shares that no legal mix could hold, None if nothing is left.

    A lone share has to be worth its limit itself. In a mix one dear lot may be carried by all the others at the best
    share, so a share goes only if even that does not pay for it.
    """
    order = market.book.orders[group.order]
    lots = order.qmin if order.single_site else 1
    surplus = [_surplus(market, order, alternative, lots=lots) for alternative in group.alternatives]
    best = max(surplus)
    kept = tuple(
        alternative
        for alternative, own in zip(group.alternatives, surplus, strict=True)
        if own >= 0 or -own <= (order.qmax - 1) * best
    )
    if best < 0 or sum(alternative.cap for alternative in kept) < order.qmin:
        return None
    return Group(group.order, group.first, group.last, kept)


def _surplus(market: Market, order: Order, alternative: Alternative, *, lots: int) -> int:
    """Return what one lot could gain at the lowest price that ``lots`` lots in this cell allow."""
    cost = sum(
        market.periods[period].hours * market.reserve_of(lots, cell=alternative.cell, period=period)
        for period in range(alternative.first, alternative.last)
    )
    return order.limit * order.hours - cost
