"""Small changes at random, judged in integers, from the best answer without prices down to one that prices carry.

Blocks are the only large choice: around them the hourly orders of a period have one best division, with one lowest
strict price in each cell, whatever happens in other periods. So a change is judged by the periods that it touches,
some thousand times a second. Smaller choices remain: the cell of a single-site hourly order, the periods in which an
hourly order goes without, because its buyer cannot pay for all, and the cells in which nothing is traded then.

What blocks, buyers and divisible orders miss at the lowest strict prices is *regret*, in micros. It weighs little at
first and ever more, and a change is accepted if it is no worse than what stood some steps before. Numbers are drawn
from a fixed sequence, and every limit counts judged states.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from exchange.clearing import residual
from exchange.clearing.allocation import Allocation, Placement
from exchange.clearing.model import Group, Market
from exchange.clearing.residual import Demand

ROUNDS = 12
MEMORY = 50  # steps after which a value has to be reached again, and the weight grows
# Weights of regret against welfare, in percent: at the beginning of a round from the start, of one from the best strict
# state, and at the end of either; between them they grow with the third power of the states judged.
FIRST_WEIGHT = 50
AGAIN_WEIGHT = 100
LAST_WEIGHT = 30_000

Shares = tuple[tuple[int, int], ...]  # (cell, lots)
Bar = tuple[int, int]  # hourly order, period
Shut = tuple[int, int]  # cell, period


@dataclass(frozen=True, slots=True)
class _Period:
    """One period around the lots that blocks use in it; money in micros."""

    worth: int  # value of the hourly orders less the cost of all supply used
    fills: Mapping[tuple[int, int], int]  # (order, cell): lots
    lo: Mapping[int, int]  # by traded cell
    entry: tuple[int, ...]  # by cell: the least that one lot more would pay
    taken: tuple[int, ...]  # by cell: lots of all
    regret: int  # what divisible supply and demand miss at ``lo``
    paid: Mapping[str, int]  # by capped buyer, for hourly lots at ``lo``


@dataclass(frozen=True, slots=True)
class Choice:
    """What is decided; all else follows."""

    placements: Mapping[int, Placement] = field(default_factory=dict)  # by order
    sites: Mapping[int, int] = field(default_factory=dict)  # by single-site hourly order
    barred: frozenset[Bar] = frozenset()
    shut: frozenset[Shut] = frozenset()  # to hourly orders; without blocks no price is needed there

    @property
    def demand(self) -> object:
        """Return what tells choices apart that differ in more than blocks."""
        return self.sites, self.barred, self.shut

    def placing(self, placement: Placement) -> "Choice":
        """Return the choice with one more block, or with it at another place."""
        return replace(self, placements={**self.placements, placement.order: placement})

    def without(self, order: int) -> "Choice":
        """Return the choice without a block."""
        kept = {index: placement for index, placement in self.placements.items() if index != order}
        return replace(self, placements=kept)

    def at_site(self, order: int, cell: int | None) -> "Choice":
        """Return the choice with another cell, or none, for a single-site hourly order."""
        sites = {index: chosen for index, chosen in self.sites.items() if index != order}
        return replace(self, sites=sites if cell is None else {**sites, order: cell})

    def barring(self, bars: frozenset[Bar]) -> "Choice":
        """Return the choice that lifts such bars as there are, or else sets all of them."""
        there = self.barred & bars
        return replace(self, barred=self.barred - there if there else self.barred | bars)

    def shutting(self, shut: Shut) -> "Choice":
        """Return the choice with a cell and period shut, or open again."""
        return replace(self, shut=self.shut ^ {shut})


@dataclass(frozen=True, slots=True)
class State:
    """A choice, judged; money in micros."""

    choice: Choice
    used: tuple[tuple[int, ...], ...]
    periods: tuple[_Period, ...]
    welfare: int
    regret: int

    @property
    def allocation(self) -> Allocation:
        """Return what is traded."""
        placements = self.choice.placements
        fills = {
            (order, cell, period): lots
            for period, each in enumerate(self.periods)
            for (order, cell), lots in each.fills.items()
        }
        return Allocation(tuple(placements[order] for order in sorted(placements)), fills)

    def value(self, weight: int) -> int:
        """Return welfare less weighted regret, in hundredths of micros."""
        return 100 * self.welfare - weight * self.regret


class Annealing:
    """One search over one market."""

    def __init__(self, market: Market) -> None:
        """Look up what every step needs."""
        self._market = market
        self._orders = market.book.orders
        self._budgets = market.book.budgets
        self._groups: dict[int, list[Group]] = {}
        for group in market.groups:
            self._groups.setdefault(group.order, []).append(group)
        self._movable = [*market.hourly, *self._groups]
        self._single = tuple(
            tuple(order for order in active if self._orders[order].single_site) for active in market.active
        )
        self._known: dict[object, _Period] = {}
        self._drawn = 1
        self._work = 0  # states judged, and hourly orders divided anew

    def run(self, start: Choice, *, states: int) -> list[State]:
        """Return the best strict state of each round, if it met one, and where the round ended.

        Every other round goes on from the best strict state so far, the others from the start.
        """
        first = self._state(start, None)
        found: list[State] = []
        if first is None or not self._movable:
            return found
        best: State | None = None
        for place in range(ROUNDS):
            again = best if place % 2 else None
            met = self._round(again or first, states // ROUNDS, AGAIN_WEIGHT if again else FIRST_WEIGHT)
            strict = [state for state in (best, *met) if state is not None and not state.regret]
            best = max(strict, key=lambda state: state.welfare, default=None)
            found += met
        return found

    def _round(self, current: State, states: int, first_weight: int) -> list[State]:
        best, step = None, 0
        weight, before = first_weight, [0] * MEMORY
        begun = self._work
        while (judged := self._work - begun) < states:
            if step % MEMORY == 0:
                weight = first_weight + (LAST_WEIGHT - first_weight) * judged**3 // states**3
                before = [current.value(weight)] * MEMORY
            self._work += 1
            choice = self._change(current)
            changed = self._state(choice, current) if choice is not None else None
            if changed is None:
                continue
            value = current.value(weight)
            if changed.value(weight) >= min(value, before[step % MEMORY]):
                current, value = changed, changed.value(weight)
            before[step % MEMORY] = value
            step += 1
            if not current.regret and (best is None or current.welfare > best.welfare):
                best = current
        return [current] if best is None else [best, current]

    def _state(self, choice: Choice, near: State | None) -> State | None:
        """Judge a choice, None if it does not fit into capacity; what it shares with ``near`` is not judged again."""
        market = self._market
        rows = [[0] * len(market.stacks) for _ in market.periods]
        for placement in choice.placements.values():
            for period in range(placement.group.first, placement.group.last):
                for cell, lots in placement.shares:
                    rows[period][cell] += lots
                    if rows[period][cell] > market.capacity[cell][period]:
                        return None
        used = tuple(map(tuple, rows))
        same = near is not None and near.choice.demand == choice.demand
        periods = tuple(
            near.periods[period]
            if same and near is not None and near.used[period] == row
            else self._period(period, row, choice)
            for period, row in enumerate(used)
        )
        welfare, regret = self._balance(choice, periods)
        return State(choice, used, periods, welfare, regret)

    def _balance(self, choice: Choice, periods: tuple[_Period, ...]) -> tuple[int, int]:
        welfare = sum(each.worth for each in periods)
        regret = sum(each.regret for each in periods)
        paid = dict.fromkeys(self._budgets, 0)
        for index, placement in choice.placements.items():
            order = self._orders[index]
            payment = 0
            for period in range(placement.group.first, placement.group.last):
                lo = periods[period].lo
                payment += self._market.periods[period].hours * sum(lots * lo[cell] for cell, lots in placement.shares)
            worth = order.limit * order.hours * placement.lots
            welfare += worth
            regret += max(0, payment - worth)
            if order.buyer in paid:
                paid[order.buyer] += payment
        for each in periods:
            for buyer, amount in each.paid.items():
                paid[buyer] += amount
        return welfare, regret + sum(max(0, amount - self._budgets[buyer]) for buyer, amount in paid.items())

    def _period(self, period: int, used: tuple[int, ...], choice: Choice) -> _Period:
        sites = tuple(choice.sites.get(order) for order in self._single[period])
        barred = frozenset(order for order, where in choice.barred if where == period)
        shut = frozenset(cell for cell, where in choice.shut if where == period)
        key = (period, used, sites, barred, shut)
        if key not in self._known:
            self._known[key] = self._divided(period, used, self._demands(period, choice.sites, barred, shut))
        return self._known[key]

    def _demands(
        self, period: int, sites: Mapping[int, int], barred: frozenset[int], shut: frozenset[int]
    ) -> list[Demand]:
        demands = []
        for index in self._market.active[period]:
            order = self._orders[index]
            cells = (sites[index],) if index in sites else () if order.single_site else self._market.compatible[index]
            cells = tuple(cell for cell in cells if cell not in shut) if shut else cells
            if cells and index not in barred:
                demands.append(Demand(index, order.limit, order.qmax, cells))
        return demands

    def _divided(self, period: int, used: tuple[int, ...], demands: list[Demand]) -> _Period:
        """Divide a period among its hourly orders and judge the division at its lowest strict prices."""
        market, orders = self._market, self._orders
        self._work += len(demands)
        fills = residual.fill(market, dict(enumerate(used)), demands, period=period)
        got: dict[int, int] = {}
        taken = list(used)
        for (index, cell), lots in fills.items():
            got[index] = got.get(index, 0) + lots
            taken[cell] += lots
        unmet = [0] * len(market.stacks)
        for index in market.active[period]:
            if got.get(index, 0) < orders[index].qmax:
                for cell in market.compatible[index]:
                    unmet[cell] = max(orders[index].limit, unmet[cell])
        worth, regret, entry = sum(orders[index].limit * lots for index, lots in got.items()), 0, []
        for cell, lots in enumerate(taken):
            cost, price, missed = self._supply(period, cell, lots, unmet[cell])
            worth -= cost
            regret += missed if lots else 0
            entry.append(price)
        regret += sum(lots * max(0, entry[cell] - orders[index].limit) for (index, cell), lots in fills.items())
        hours = market.periods[period].hours
        paid: dict[str, int] = {}
        for (index, cell), lots in fills.items():
            buyer = orders[index].buyer
            if buyer in self._budgets:
                paid[buyer] = paid.get(buyer, 0) + lots * entry[cell] * hours
        lo = {cell: entry[cell] for cell, lots in enumerate(taken) if lots}
        return _Period(worth * hours, fills, lo, tuple(entry), tuple(taken), regret * hours, paid)

    def _supply(self, period: int, cell: int, lots: int, unmet: int) -> tuple[int, int, int]:
        """Return the cost of so many lots, the lowest strict price, and what spare supply misses at it, an hour."""
        cost, price, left = 0, unmet, lots
        stack = self._market.stacks[cell][period]
        for step in stack:
            sold = min(left, step.qty)
            cost += sold * step.reserve
            left -= sold
            if sold or not lots:
                price = max(price, step.reserve)
            if not left:
                break
        missed, left = 0, lots
        for step in stack:
            sold = min(left, step.qty)
            missed += max(0, price - step.reserve) * (step.qty - sold)
            left -= sold
        return cost, price, missed

    def _change(self, state: State) -> Choice | None:
        """Draw a change of one order, now and then with another block given up for it."""
        choice = state.choice
        order = self._movable[self._draw(len(self._movable))]
        if order not in self._groups:
            return self._hourly_change(choice, order)
        if order in choice.placements and not self._draw(3):
            return choice.without(order)
        groups = self._groups[order]
        group = groups[self._draw(len(groups))]
        others = [list(row) for row in state.used]
        own = choice.placements.get(order)
        if own is not None:
            for period in range(own.group.first, own.group.last):
                for cell, lots in own.shares:
                    others[period][cell] -= lots
        shapes = list(self._shapes(state, group, others))
        if not shapes:
            return None
        changed = choice.placing(Placement(group, shapes[self._draw(len(shapes))]))
        rivals = [index for index in choice.placements if index != order]
        return changed if not rivals or self._draw(4) else changed.without(rivals[self._draw(len(rivals))])

    def _hourly_change(self, choice: Choice, order: int) -> Choice | None:
        window, cells = self._market.windows[order], self._market.compatible[order]
        if not window or not cells:
            return None
        if self._orders[order].single_site and not self._draw(2):
            place = self._draw(len(cells) + 1)
            return choice.at_site(order, cells[place] if place < len(cells) else None)
        kind, period = self._draw(4), window[self._draw(len(window))]
        if not kind:
            return choice.barring(frozenset((order, each) for each in window))
        if kind > 1:
            choice = choice.shutting((cells[self._draw(len(cells))], period))
        return choice.barring(frozenset({(order, period)})) if kind < 3 else choice

    def _shapes(self, state: State, group: Group, others: list[list[int]]) -> Iterator[Shares]:
        """Yield shares of a group: all lots in one cell at telling levels, or the cheapest lots of all its cells."""
        order = self._orders[group.order]
        for alternative in group.alternatives:
            for lots in self._levels(state, group, alternative.cell, alternative.cap, others):
                yield ((alternative.cell, lots),)
        if len(group.alternatives) > 1:
            for most in {order.qmin: None, order.qmax: None}:
                for rows in (others, [each.taken for each in state.periods]):
                    if shares := self._cheapest(group, rows, others, most):
                        yield shares

    def _levels(self, state: State, group: Group, cell: int, cap: int, others: list[list[int]]) -> list[int]:
        """Return levels at which a step of supply, the room or the budget ends, the least and the most."""
        order, market = self._orders[group.order], self._market
        span = range(group.first, group.last)
        levels = {order.qmin, cap, min(market.capacity[cell][period] - others[period][cell] for period in span)}
        if order.qmin < order.qmax:
            for period in span:
                end = 0
                for step in market.stacks[cell][period]:
                    end += step.qty
                    levels.update((end - others[period][cell], end - state.periods[period].taken[cell]))
            price = sum(state.periods[period].entry[cell] * market.periods[period].hours for period in span)
            if order.buyer in self._budgets and price:
                levels.add(self._budgets[order.buyer] // price)
        return sorted(lots for lots in levels if order.qmin <= lots <= cap)

    def _cheapest(
        self, group: Group, rows: "list[list[int]] | list[tuple[int, ...]]", others: list[list[int]], most: int
    ) -> Shares:
        """Return up to ``most`` lots, each next one where it is cheapest beside ``rows``; nothing if too few fit."""
        order, market = self._orders[group.order], self._market
        span = range(group.first, group.last)
        chunks = []
        for alternative in group.alternatives:
            cell = alternative.cell
            room = min(alternative.cap, *(market.capacity[cell][period] - others[period][cell] for period in span))
            begun = 0
            while begun < room:
                cost, until = 0, room
                for period in span:
                    reserve, end = self._next_step(cell, period, rows[period][cell] + begun)
                    cost += reserve * market.periods[period].hours
                    if end is not None:
                        until = min(until, begun + end)
                chunks.append((cost, cell, until - begun))
                begun = until
        lots: dict[int, int] = {}
        left = most
        for cost, cell, count in sorted(chunks):
            if most - left >= order.qmin and cost > order.limit * order.hours:
                break
            if share := min(left, count):
                lots[cell] = lots.get(cell, 0) + share
                left -= share
        return tuple(sorted(lots.items())) if most - left >= order.qmin else ()

    def _next_step(self, cell: int, period: int, lots: int) -> tuple[int, int | None]:
        """Return the reserve of the lot after so many, and how many it has; the dearest where all are taken."""
        for step in self._market.stacks[cell][period]:
            lots -= step.qty
            if lots < 0:
                return step.reserve, -lots
        return self._market.stacks[cell][period][-1].reserve, None

    def _draw(self, below: int) -> int:
        self._drawn = (self._drawn * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._drawn >> 33) % below
