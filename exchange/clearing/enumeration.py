"""Every allocation of a small book, in integers: for books whose prices lie too far apart for a solver's floats.

A limit of 2^53 and one of 2^53 + 1 are the same float, and a strict price may hang on the difference. Blocks are
placed one after the other, best first, with a bound that counts every lot at the cheapest reserve. What is left of a
period is divided among its hourly orders in every way; only divisions that no other one beats in welfare, in ``lo``
where blocks run, and in what capped buyers pay, are carried on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from operator import le

from exchange.clearing import prices
from exchange.clearing.allocation import Allocation, Placement, fits, usage
from exchange.clearing.model import Market

Fills = tuple[tuple[int, int, int], ...]  # (order, cell, lots)


class TooLarge(Exception):
    """The book needs more steps than were granted."""


@dataclass(frozen=True)
class _Division:
    """One way to divide a period among its hourly orders: what it costs the others, and what it brings."""

    welfare: int  # of the hourly orders, less the cost of all supply used in the period
    burdens: tuple[int, ...]  # what blocks pay for their lots at ``lo`` and capped buyers for their hourly lots
    fills: tuple[tuple[int, Fills], ...]  # by period

    def beats(self, other: "_Division") -> bool:
        return self.welfare >= other.welfare and all(map(le, self.burdens, other.burdens))

    def joined(self, other: "_Division") -> "_Division":
        burdens = tuple(mine + theirs for mine, theirs in zip(self.burdens, other.burdens, strict=True))
        return _Division(self.welfare + other.welfare, burdens, self.fills + other.fills)


@dataclass
class Enumeration:
    """One enumeration, which stops with ``TooLarge`` when its steps are used up."""

    market: Market
    steps: int
    best: Allocation = field(default_factory=Allocation)
    best_welfare: int = 0
    _divided: dict[object, list[_Division]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up what every step needs."""
        market = self.market
        self._capped = sorted(set(market.book.budgets) & {order.buyer for order in market.book.orders})
        self._options = [sorted(self._placements(index), key=self._hope, reverse=True) for index in market.blocks]
        single = [
            index for index in market.hourly if market.book.orders[index].single_site and market.compatible[index]
        ]
        choices = product(*(market.compatible[index] for index in single))
        self._sites = [dict(zip(single, cells, strict=True)) for cells in choices]

    def run(self) -> Allocation:
        """Return the strict allocation of the highest welfare; raises TooLarge."""
        hopes = [max((self._hope(option) for option in options), default=0) for options in self._options]
        most = [sum(hopes[place:]) for place in range(len(hopes) + 1)]
        self._place((), 0, self._hourly_hope(), most)
        return self.best

    def _place(self, chosen: tuple[Placement, ...], depth: int, hope: int, most: Sequence[int]) -> None:
        self._step()
        if hope + most[depth] <= self.best_welfare:
            return
        if depth == len(self._options):
            for sites in self._sites:
                self._divide(chosen, sites)
            return
        for option in self._options[depth]:
            if fits(self.market, (*chosen, option)):
                self._place((*chosen, option), depth + 1, hope + self._hope(option), most)
        self._place(chosen, depth + 1, hope, most)

    def _divide(self, chosen: tuple[Placement, ...], sites: Mapping[int, int]) -> None:
        """Combine the divisions of all periods around the chosen blocks, and keep the best strict one."""
        orders = self.market.book.orders
        allowed = [
            *(orders[placement.order].limit * orders[placement.order].hours * placement.lots for placement in chosen),
            *(self.market.book.budgets[buyer] for buyer in self._capped),
        ]
        carried = [_Division(sum(allowed[: len(chosen)]), (0,) * len(allowed), ())]
        for period, used in enumerate(usage(self.market, chosen)):
            found = self._divisions(chosen, sites, used, period)
            self._step(len(carried) * len(found))
            carried = _unbeaten(
                joined
                for before in carried
                for division in found
                if all(map(le, (joined := before.joined(division)).burdens, allowed))
            )
        for division in carried:
            if division.welfare <= self.best_welfare:
                continue
            fills = {(order, cell, period): lots for period, row in division.fills for order, cell, lots in row}
            allocation = Allocation(tuple(sorted(chosen, key=lambda placement: placement.order)), fills)
            if prices.assess(self.market, allocation).is_strict:
                self.best, self.best_welfare = allocation, division.welfare

    def _divisions(
        self, chosen: tuple[Placement, ...], sites: Mapping[int, int], used: Mapping[int, int], period: int
    ) -> list[_Division]:
        here = tuple(
            placement.shares if placement.group.first <= period < placement.group.last else () for placement in chosen
        )
        buyers = tuple(self.market.book.orders[placement.order].buyer for placement in chosen) if self._capped else ()
        key = (period, here, buyers, tuple(sites.items()))
        if key not in self._divided:
            ways = self._ways(sites, dict(used), self.market.active[period], period)
            judged = (self._judge(fills, here, buyers, used, period) for fills in ways)
            self._divided[key] = _unbeaten(division for division in judged if division is not None)
        return self._divided[key]

    def _ways(
        self, sites: Mapping[int, int], used: dict[int, int], active: Sequence[int], period: int
    ) -> Iterator[Fills]:
        if not active:
            yield ()
            return
        index, rest = active[0], active[1:]
        order = self.market.book.orders[index]
        cells = (sites[index],) if index in sites else self.market.compatible[index]
        free = [self.market.capacity[cell][period] - used.get(cell, 0) for cell in cells]
        for lots in self._splits(free, 0, order.qmax):
            taken = {cell: used.get(cell, 0) + count for cell, count in zip(cells, lots, strict=True)}
            own = tuple((index, cell, count) for cell, count in zip(cells, lots, strict=True) if count)
            for others in self._ways(sites, used | taken, rest, period):
                yield own + others

    def _judge(
        self,
        fills: Fills,
        here: tuple[tuple[tuple[int, int], ...], ...],
        buyers: tuple[str, ...],
        used: Mapping[int, int],
        period: int,
    ) -> _Division | None:
        """Return what a division of one period brings and burdens, None if no strict price exists for it."""
        self._step()
        orders, hours = self.market.book.orders, self.market.periods[period].hours
        got: dict[int, int] = {}
        taken = dict(used)
        for index, cell, lots in fills:
            got[index] = got.get(index, 0) + lots
            taken[cell] = taken.get(cell, 0) + lots
        lo: dict[int, int] = {}
        worth = sum(orders[index].limit * lots for index, lots in got.items())
        for cell, lots in taken.items():
            if not lots:
                continue
            cost, dearest, spare = self._margin(cell, period, lots)
            unmet = [
                orders[index].limit
                for index in self.market.active[period]
                if got.get(index, 0) < orders[index].qmax and cell in self.market.compatible[index]
            ]
            lo[cell] = max([dearest, *unmet])
            worth -= cost
            if spare is not None and lo[cell] > spare:
                return None
        if any(lo[cell] > orders[index].limit for index, cell, _ in fills):
            return None
        blocks = [hours * sum(lots * lo[cell] for cell, lots in shares) for shares in here]
        capped = dict.fromkeys(self._capped, 0)
        for buyer, paid in zip(buyers, blocks, strict=False):
            if buyer in capped:
                capped[buyer] += paid
        for index, cell, lots in fills:
            if orders[index].buyer in capped:
                capped[orders[index].buyer] += lots * lo[cell] * hours
        return _Division(worth * hours, (*blocks, *capped.values()), ((period, fills),))

    def _margin(self, cell: int, period: int, lots: int) -> tuple[int, int, int | None]:
        """Return what the cheapest lots cost, the dearest reserve among them and the cheapest one with spare lots."""
        cost = dearest = 0
        for step in self.market.stacks[cell][period]:
            share = min(lots, step.qty)
            cost += share * step.reserve
            lots -= share
            if share:
                dearest = step.reserve
            if share < step.qty:
                return cost, dearest, step.reserve
        return cost, dearest, None

    def _placements(self, index: int) -> Iterator[Placement]:
        """Yield every way to run a block that the cheapest reserves would let pay its limit."""
        order = self.market.book.orders[index]
        for group in self.market.groups:
            if group.order != index:
                continue
            cells = [alternative.cell for alternative in group.alternatives]
            for lots in self._splits([alternative.cap for alternative in group.alternatives], order.qmin, order.qmax):
                shares = tuple((cell, count) for cell, count in zip(cells, lots, strict=True) if count)
                placement = Placement(group, shares)
                if self._hope(placement) >= 0:
                    yield placement

    def _hope(self, placement: Placement) -> int:
        """Return the welfare of a block if every lot came at the cheapest reserve."""
        order = self.market.book.orders[placement.order]
        cheapest = sum(
            lots * self.market.stacks[cell][period][0].reserve * self.market.periods[period].hours
            for cell, lots in placement.shares
            for period in range(placement.group.first, placement.group.last)
        )
        return order.limit * order.hours * placement.lots - cheapest

    def _hourly_hope(self) -> int:
        total = 0
        for index in self.market.hourly:
            order = self.market.book.orders[index]
            for period in self.market.windows[index]:
                stacks = [self.market.stacks[cell][period] for cell in self.market.compatible[index]]
                surplus = max((order.limit - stack[0].reserve for stack in stacks if stack), default=0)
                total += order.qmax * max(0, surplus) * self.market.periods[period].hours
        return total

    def _splits(self, free: Sequence[int], least: int, most: int) -> Iterator[tuple[int, ...]]:
        """Yield every way to take ``least`` to ``most`` lots from cells with so many free."""
        self._step()
        if not free:
            if least <= 0:
                yield ()
            return
        for lots in range(min(free[0], most), -1, -1):
            for rest in self._splits(free[1:], least - lots, most - lots):
                yield (lots, *rest)

    def _step(self, count: int = 1) -> None:
        self.steps -= count
        if self.steps < 0:
            raise TooLarge


def _unbeaten(divisions: Iterable[_Division]) -> list[_Division]:
    """Return the divisions that no other one beats; of equal ones the first."""
    kept: list[_Division] = []
    for division in sorted(divisions, key=lambda division: (-division.welfare, sum(division.burdens))):
        if not any(other.beats(division) for other in kept):
            kept.append(division)
    return kept
