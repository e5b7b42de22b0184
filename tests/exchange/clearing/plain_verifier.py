"""The verifier's rules once more, slot by slot and row by row in Python's own integers: the slow, obvious reference.

A *segment* is a run of slots in which no trade, price run, offer or hourly window begins or ends, so one look at it
stands for all its slots.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property

from exchange.clearing import verify_claim
from exchange.clearing.book import Attributes, Book, Needs, Offer, Order
from exchange.clearing.verify_claim import Run, Traded, conditions, meets
from exchange.clearing.violations import Code, RejectedBlock, Report, Violation


def findings(claim: verify_claim.Claim, required_welfare: int | None = None) -> Report:
    """Return what the rules find in a claim that has been read."""
    plain = Claim(claim.book, claim.trades, claim.runs, claim.welfare, claim.bound)
    found = [*supply(plain), *demand(plain), *money(plain), *welfare(plain, required_welfare), *strict(plain)]
    return Report(tuple(found), tuple(rejected_blocks(plain)))


@dataclass(frozen=True)
class Claim:
    """A well-formed outcome and its book, cut into segments."""

    book: Book
    trades: tuple[Traded, ...]
    runs: dict[str, tuple[Run, ...]]
    welfare: int | None
    bound: int | None

    @cached_property
    def edges(self) -> list[int]:
        """The slots at which something changes."""
        spans = [(trade.t0, trade.t1) for trade in self.trades]
        spans += [(run.t0, run.t1) for runs in self.runs.values() for run in runs]
        spans += [(offer.t0, offer.t1) for offer in self.book.offers]
        spans += [(order.earliest, order.latest) for order in self.book.orders if not order.is_block]
        return sorted({edge for span in spans for edge in span})

    @property
    def segments(self) -> range:
        """The places of the segments; segment ``i`` is ``[edges[i], edges[i + 1])``."""
        return range(max(0, len(self.edges) - 1))

    def hours(self, segment: int) -> int:
        """Return the slots in a segment."""
        return self.edges[segment + 1] - self.edges[segment]

    def span(self, t0: int, t1: int) -> range:
        """Return the segments of ``[t0, t1)``, whose ends have to be edges."""
        return range(bisect_left(self.edges, t0), bisect_left(self.edges, t1))

    @cached_property
    def price(self) -> dict[tuple[str, int], int]:
        """The published price by (cell, segment)."""
        return {
            (cell, segment): run.price
            for cell, runs in self.runs.items()
            for run in runs
            for segment in self.span(run.t0, run.t1)
        }

    @cached_property
    def sold(self) -> dict[tuple[str, int], int]:
        """Lots by (offer, segment)."""
        return self._sum(lambda trade: trade.offer.id)

    @cached_property
    def bought(self) -> dict[tuple[str, int], int]:
        """Lots by (order, segment)."""
        return self._sum(lambda trade: trade.order.id)

    def _sum(self, key: Callable[[Traded], str]) -> dict[tuple[str, int], int]:
        totals: dict[tuple[str, int], int] = defaultdict(int)
        for trade in self.trades:
            for segment in self.span(trade.t0, trade.t1):
                totals[key(trade), segment] += trade.qty
        return dict(totals)

    @cached_property
    def offers_in(self) -> dict[tuple[str, int], list[Offer]]:
        """The open offers by (cell, segment), by (reserve, seq, id)."""
        found: dict[tuple[str, int], list[Offer]] = defaultdict(list)
        for offer in sorted(self.book.offers, key=lambda offer: (offer.reserve, offer.seq, offer.id)):
            for segment in self.span(offer.t0, offer.t1):
                found[offer.cell, segment].append(offer)
        return dict(found)

    @cached_property
    def trades_of(self) -> dict[str, list[Traded]]:
        """The trades of each order that has any."""
        found: dict[str, list[Traded]] = defaultdict(list)
        for trade in self.trades:
            found[trade.order.id].append(trade)
        return dict(found)

    @cached_property
    def cells(self) -> dict[str, Attributes]:
        """Attributes by cell."""
        return {cell.id: cell.attributes for cell in self.book.cells}

    @cached_property
    def _known(self) -> dict[Needs, frozenset[str]]:
        return {}

    def cells_for(self, needs: Needs) -> list[str]:
        """Return the cells that meet the needs, by id."""
        named = {field.name: getattr(needs, field.name) for field in fields(needs)}
        alone = [Needs(**{name: value}) for name, value in named.items() if value is not None]
        found = frozenset(self.cells)
        for need in alone:
            if need not in self._known:
                self._known[need] = frozenset(cell for cell, has in self.cells.items() if qualifies(has, need))
            found &= self._known[need]
        return sorted(found)

    def at(self, segment: int) -> str:
        """Return a segment as a reader may see it."""
        return f"[{self.edges[segment]}, {self.edges[segment + 1]})"


def supply(claim: Claim) -> Iterator[Violation]:
    """OVERSELL and MERIT."""
    for trade in claim.trades:
        if trade.t0 < trade.offer.t0 or trade.t1 > trade.offer.t1:
            yield Violation(Code.OVERSELL, f"offer {trade.offer.id} sells outside its window")
    for offer in claim.book.offers:
        for segment in claim.span(offer.t0, offer.t1):
            sold = claim.sold.get((offer.id, segment), 0)
            if sold > offer.qty:
                yield Violation(Code.OVERSELL, f"offer {offer.id} sells {sold} of {offer.qty} in {claim.at(segment)}")
    for (cell, segment), offers in claim.offers_in.items():
        spare = None
        for offer in offers:
            sold = claim.sold.get((offer.id, segment), 0)
            if sold and spare is not None and spare.reserve < offer.reserve:
                yield Violation(Code.MERIT, f"offer {offer.id} sells before {spare.id} in {cell} {claim.at(segment)}")
            if spare is None and sold < offer.qty:
                spare = offer


def demand(claim: Claim) -> Iterator[Violation]:
    """NEEDS, WINDOW, LEVEL, FILL and SITE."""
    orders = {order.id: order for order in claim.book.orders}
    for order_id, trades in claim.trades_of.items():
        order = orders[order_id]
        cells = sorted({trade.offer.cell for trade in trades})
        for cell in cells:
            if not qualifies(claim.cells[cell], order.needs):
                yield Violation(Code.NEEDS, f"order {order.id} does not accept cell {cell}")
        if order.single_site and len(cells) > 1:
            yield Violation(Code.SITE, f"order {order.id} uses {len(cells)} cells")
        if any(trade.t0 < order.earliest or trade.t1 > order.latest for trade in trades):
            yield Violation(Code.WINDOW, f"order {order.id} is delivered outside its window")
        yield from _block(claim, order, cells) if order.is_block else _hourly(claim, order)


def _hourly(claim: Claim, order: Order) -> Iterator[Violation]:
    for segment in claim.segments:
        lots = claim.bought.get((order.id, segment), 0)
        if lots > order.qmax:
            yield Violation(Code.FILL, f"order {order.id} gets {lots} of {order.qmax} in {claim.at(segment)}")


def _block(claim: Claim, order: Order, cells: list[str]) -> Iterator[Violation]:
    levels: dict[str, dict[int, int]] = {cell: defaultdict(int) for cell in cells}
    for trade in claim.trades_of[order.id]:
        for segment in claim.span(trade.t0, trade.t1):
            levels[trade.offer.cell][segment] += trade.qty
    used = sorted({segment for of_cell in levels.values() for segment in of_cell})
    begin, end = claim.edges[used[0]], claim.edges[used[-1] + 1]
    whole = set(claim.span(begin, end))
    if end - begin != order.hours or any(set(of_cell) != whole for of_cell in levels.values()):
        yield Violation(Code.WINDOW, f"block {order.id} is not {order.hours} contiguous slots with one start")
    if (begin - order.earliest) % claim.book.grid:
        yield Violation(Code.WINDOW, f"block {order.id} starts off the grid in slot {begin}")
    for cell, of_cell in levels.items():
        if len(set(of_cell.values())) > 1:
            yield Violation(Code.LEVEL, f"block {order.id} changes its level in cell {cell}")
    for segment in used:
        lots = sum(of_cell.get(segment, 0) for of_cell in levels.values())
        if not order.qmin <= lots <= order.qmax:
            yield Violation(
                Code.FILL, f"block {order.id} gets {lots}, not {order.qmin} to {order.qmax}, in {claim.at(segment)}"
            )
            return


def money(claim: Claim) -> Iterator[Violation]:
    """PRICE, IR_SELL, IR_BUY and BUDGET."""
    paid: dict[str, int] = defaultdict(int)
    for trade in claim.trades:
        for segment in claim.span(trade.t0, trade.t1):
            price = claim.price.get((trade.offer.cell, segment))
            where = f"{trade.offer.cell} {claim.at(segment)}"
            if price is None:
                yield Violation(Code.PRICE, f"{where} is traded and has no price")
                continue
            if trade.price is not None and trade.price != price:
                yield Violation(Code.PRICE, f"a trade of order {trade.order.id} says {trade.price} in {where}")
            if price < trade.offer.reserve:
                yield Violation(Code.IR_SELL, f"offer {trade.offer.id} sells below its reserve in {where}")
            if not trade.order.is_block and price > trade.order.limit:
                yield Violation(Code.IR_BUY, f"order {trade.order.id} buys above its limit in {where}")
            paid[trade.order.id] += price * trade.qty * claim.hours(segment)
    yield from _blocks_pay(claim, paid)
    yield from _budgets(claim, paid)


def _blocks_pay(claim: Claim, paid: dict[str, int]) -> Iterator[Violation]:
    for order in claim.book.orders:
        if order.is_block and order.id in claim.trades_of:
            worth = order.limit * sum(trade.qty * (trade.t1 - trade.t0) for trade in claim.trades_of[order.id])
            if paid[order.id] > worth:
                yield Violation(Code.IR_BUY, f"block {order.id} pays {paid[order.id]} for at most {worth}")


def _budgets(claim: Claim, paid: dict[str, int]) -> Iterator[Violation]:
    spent: dict[str, int] = defaultdict(int)
    for order in claim.book.orders:
        spent[order.buyer] += paid.get(order.id, 0)
    for buyer, budget in claim.book.budgets.items():
        if spent.get(buyer, 0) > budget:
            yield Violation(Code.BUDGET, f"buyer {buyer} pays {spent[buyer]} of at most {budget}")


def welfare(claim: Claim, required: int | None) -> Iterator[Violation]:
    """WELFARE."""
    actual = sum(
        (trade.order.limit - trade.offer.reserve) * trade.qty * (trade.t1 - trade.t0) for trade in claim.trades
    )
    if claim.welfare is not None and claim.welfare != actual:
        yield Violation(Code.WELFARE, f"the claim is {claim.welfare}, the trades give {actual}")
    if claim.bound is not None and claim.bound < actual:
        yield Violation(Code.WELFARE, f"the bound {claim.bound} is below the welfare {actual}")
    if required is not None and actual < required:
        yield Violation(Code.WELFARE, f"the welfare {actual} is below the required {required}")


def strict(claim: Claim) -> Iterator[Violation]:
    """TIE, PR_SELL and PR_BUY."""
    for (cell, segment), offers in claim.offers_in.items():
        price = claim.price.get((cell, segment))
        where = f"{cell} {claim.at(segment)}"
        selling = [offer for offer in offers if claim.sold.get((offer.id, segment), 0)]
        spare = [offer for offer in offers if claim.sold.get((offer.id, segment), 0) < offer.qty]
        # The offers stand by (reserve, seq, id): of those with one reserve the earliest is the last in reverse.
        earliest = {offer.reserve: offer for offer in reversed(spare)}
        for offer in selling:
            earlier = earliest.get(offer.reserve)
            if earlier and (earlier.seq, earlier.id) < (offer.seq, offer.id):
                yield Violation(Code.TIE, f"offer {offer.id} sells before {earlier.id} in {where}")
        for offer in spare:
            if selling and price is not None and offer.reserve < price:
                yield Violation(Code.PR_SELL, f"offer {offer.id} has cards to spare below the price in {where}")
    for order in claim.book.orders:
        if not order.is_block:
            yield from _unmet(claim, order)


def _unmet(claim: Claim, order: Order) -> Iterator[Violation]:
    cells = claim.cells_for(order.needs)
    for segment in claim.span(order.earliest, order.latest):
        if claim.bought.get((order.id, segment), 0) >= order.qmax:
            continue
        for cell in cells:
            price = claim.price.get((cell, segment))
            if price is not None and price < order.limit and (cell, segment) in claim.offers_in:
                yield Violation(Code.PR_BUY, f"order {order.id} is unmet below its limit in {cell} {claim.at(segment)}")


def rejected_blocks(claim: Claim) -> Iterator[RejectedBlock]:
    """Yield each unfilled block that some compatible cell and start would have served at a gain, at its best one."""
    costs = {cell: _Costs(runs) for cell, runs in claim.runs.items()}
    for order in claim.book.orders:
        if not order.is_block or order.id in claim.trades_of:
            continue
        worth = order.limit * order.hours
        starts = _starts(claim, order)
        gains = [
            (worth - cost, -start, cell)
            for cell in claim.cells_for(order.needs)
            if cell in costs
            for start in starts
            if (cost := costs[cell].between(start, start + order.hours)) is not None and cost < worth
        ]
        if gains:
            surplus, start, cell = max(gains)
            yield RejectedBlock(order.id, cell, -start, surplus)


def _starts(claim: Claim, order: Order) -> list[int]:
    """Return the starts at which the sum of published prices can be least.

    The sum is linear between two edges, so only starts at which it can bend matter: those next to an edge at either
    end of the block.
    """
    grid, last = claim.book.grid, order.latest - order.hours
    starts = {order.earliest, last}
    if last > order.earliest:
        for edge in claim.edges:
            for start in (edge, edge - order.hours):
                down = start - (start - order.earliest) % grid
                starts.update((down, down + grid))
    return sorted(start for start in starts if order.earliest <= start <= last and not (start - order.earliest) % grid)


class _Costs:
    """Sums of one cell's published prices between any two slots."""

    def __init__(self, runs: tuple[Run, ...]) -> None:
        self._begins = [run.t0 for run in runs]
        self._runs = runs
        self._before = [(0, 0)]  # hours covered, and their cost, before each run
        for run in runs:
            hours, cost = self._before[-1]
            self._before.append((hours + run.t1 - run.t0, cost + (run.t1 - run.t0) * run.price))

    def between(self, t0: int, t1: int) -> int | None:
        """Return the sum over ``[t0, t1)``, None where a slot has no price."""
        (hours0, cost0), (hours1, cost1) = self._until(t0), self._until(t1)
        return cost1 - cost0 if hours1 - hours0 == t1 - t0 else None

    def _until(self, slot: int) -> tuple[int, int]:
        place = bisect_left(self._begins, slot) - 1
        if place < 0:
            return 0, 0
        run = self._runs[place]
        hours, cost = self._before[place]
        inside = min(slot, run.t1) - run.t0
        return hours + inside, cost + inside * run.price


def qualifies(attributes: Attributes, needs: Needs) -> bool:
    """Return whether a cell meets every need."""
    return all(meets(attributes, *condition) for condition in conditions(needs))
