"""The welfare program of a market: its columns, its rows, and how to read an answer back.

    max  sum of value at the limits - sum of cost at the reserves
    bought = sold                                       in each cell and period (its dual is the price)
    min fill * z <= lots of a block's group <= max * z  and at most one group of a block
    lots of an hourly order <= its maximum              in each period

Prices count from the lowest one of the book, in units of their greatest common divisor, so that floats hold them
exactly where they can.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from exchange.clearing.allocation import Allocation, Placement, fits
from exchange.clearing.model import Group, Market
from exchange.clearing.solver import Hints, Program

# Beyond this the coefficients are scaled into range and lose their last digits; integers still decide afterwards.
LARGEST_EXACT_PRICE = 10_000_000


@dataclass
class Welfare:
    """The program and where its parts are."""

    market: Market
    program: Program
    base: int  # micros that the program takes off every price
    unit: float  # micros per unit of the program's money
    ticks: int  # the dearest price over the base, in the largest tick that all prices share
    groups: tuple[Group, ...] = ()
    taken: list[int] = field(default_factory=list)  # by group: its binary
    shares: list[tuple[int, ...]] = field(default_factory=list)  # by group: lots of each alternative
    fills: dict[tuple[int, int, int], int] = field(default_factory=dict)  # (order, cell, period): lots
    sites: dict[tuple[int, int], int] = field(default_factory=dict)  # (single-site hourly order, cell): binary
    steps: dict[tuple[int, int], list[tuple[int, int, int]]] = field(default_factory=dict)  # (reserve, lots, column)
    balances: dict[tuple[int, int], int] = field(default_factory=dict)  # (cell, period): row

    def money(self, micros: int) -> float:
        """Return an amount in the program's money."""
        return micros / self.unit

    def price(self, micros: int) -> float:
        """Return a price, limit or reserve in the program's money."""
        return self.money(micros - self.base)


def money_scale(market: Market) -> tuple[int, float, int]:
    """Return what to take off every price, the micros of one unit of the program's money, and the range in ticks.

    As much is bought as is sold, so a base common to all prices changes neither welfare nor what anybody gains; only
    budgets see whole payments.
    """
    prices = [offer.reserve for offer in market.book.offers] + [order.limit for order in market.book.orders]
    base = 0 if market.book.budgets else min(prices, default=0)
    divisor = math.gcd(*(price - base for price in prices)) or 1
    largest = (max(prices, default=0) - base) // divisor
    unit = divisor if largest <= LARGEST_EXACT_PRICE else divisor * (largest / LARGEST_EXACT_PRICE)
    return base, unit, largest


def build(market: Market, *, groups: Sequence[Group] | None = None) -> Welfare:
    """Return the welfare program over the given groups of blocks (all by default)."""
    welfare = Welfare(market, Program(), *money_scale(market))
    bought: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
    _add_blocks(welfare, market.groups if groups is None else groups, bought)
    _add_hourly(welfare, bought)
    _add_supply(welfare, bought)
    _add_budgets(welfare)
    return welfare


def _add_blocks(
    welfare: Welfare, groups: Sequence[Group], bought: dict[tuple[int, int], list[tuple[int, float]]]
) -> None:
    market, program = welfare.market, welfare.program
    of_order: dict[int, list[int]] = defaultdict(list)
    for group in groups:
        order = market.book.orders[group.order]
        value = welfare.price(order.limit) * order.hours
        taken = program.column(0.0, upper=1.0, integral=True)
        shares = tuple(
            program.column(value, upper=float(alternative.cap), integral=True) for alternative in group.alternatives
        )
        lots = [(share, 1.0) for share in shares]
        program.row([*lots, (taken, -float(order.qmin))], least=0.0)
        program.row([*lots, (taken, -float(order.qmax))], most=0.0)
        for alternative, share in zip(group.alternatives, shares, strict=True):
            for period in range(group.first, group.last):
                bought[alternative.cell, period].append((share, 1.0))
        of_order[group.order].append(taken)
        welfare.taken.append(taken)
        welfare.shares.append(shares)
    for choices in of_order.values():
        program.row([(taken, 1.0) for taken in choices], most=1.0)
    welfare.groups = tuple(groups)


def _add_hourly(welfare: Welfare, bought: dict[tuple[int, int], list[tuple[int, float]]]) -> None:
    market, program = welfare.market, welfare.program
    for index in market.hourly:
        order = market.book.orders[index]
        worth = welfare.price(order.limit)
        used_cells = set()
        for period in market.windows[index]:
            hours = market.periods[period].hours
            lots = []
            for cell in market.compatible[index]:
                stack = market.stacks[cell][period]
                if stack and stack[0].reserve <= order.limit:
                    cap = min(order.qmax, market.capacity[cell][period])
                    fill = program.column(worth * hours, upper=float(cap), integral=False)
                    welfare.fills[index, cell, period] = fill
                    bought[cell, period].append((fill, 1.0))
                    lots.append((fill, 1.0))
                    used_cells.add(cell)
            if lots:
                program.row(lots, most=float(order.qmax))
        if order.single_site:
            _add_sites(welfare, index, sorted(used_cells))


def _add_sites(welfare: Welfare, index: int, cells: list[int]) -> None:
    program, order = welfare.program, welfare.market.book.orders[index]
    for cell in cells:
        welfare.sites[index, cell] = program.column(0.0, upper=1.0, integral=True)
    program.row([(welfare.sites[index, cell], 1.0) for cell in cells], most=1.0)
    for period in welfare.market.windows[index]:
        for cell in cells:
            fill = welfare.fills.get((index, cell, period))
            if fill is not None:
                program.row([(fill, 1.0), (welfare.sites[index, cell], -float(order.qmax))], most=0.0)


def _add_supply(welfare: Welfare, bought: dict[tuple[int, int], list[tuple[int, float]]]) -> None:
    market, program = welfare.market, welfare.program
    for (cell, period), terms in sorted(bought.items()):
        hours = market.periods[period].hours
        lots_at: dict[int, int] = {}
        for step in market.stacks[cell][period]:
            lots_at[step.reserve] = lots_at.get(step.reserve, 0) + step.qty
        # One lot more than anybody could buy is as good as any number, and easier on the solver.
        enough = 1 + round(sum(program.upper[column] for column, _ in terms))
        lots_at = {reserve: min(lots, enough) for reserve, lots in lots_at.items()}
        steps = [
            (reserve, lots, program.column(-welfare.price(reserve) * hours, upper=float(lots), integral=False))
            for reserve, lots in lots_at.items()
        ]
        sold = [(column, -1.0) for _, _, column in steps]
        welfare.balances[cell, period] = program.row([*terms, *sold], least=0.0, most=0.0)
        welfare.steps[cell, period] = steps


def _add_budgets(welfare: Welfare) -> None:
    """Bound what each budget buys at the cheapest reserves, which no price can undercut."""
    market = welfare.market
    for buyer, budget in market.book.budgets.items():
        terms = [
            (column, welfare.price(market.stacks[cell][period][0].reserve) * market.periods[period].hours)
            for (order, cell, period), column in welfare.fills.items()
            if market.book.orders[order].buyer == buyer
        ]
        for group, shares in zip(welfare.groups, welfare.shares, strict=True):
            if market.book.orders[group.order].buyer != buyer:
                continue
            for alternative, share in zip(group.alternatives, shares, strict=True):
                least = sum(
                    market.stacks[alternative.cell][period][0].reserve * market.periods[period].hours
                    for period in range(group.first, group.last)
                )
                terms.append((share, welfare.money(least)))
        if terms:
            welfare.program.row(terms, most=welfare.money(budget))


def placements(welfare: Welfare, values: Hints) -> tuple[Placement, ...]:
    """Round an answer to placements that fit, in canonical order; what does not fit is left out."""
    market = welfare.market
    chosen: dict[int, Placement] = {}
    for group, shares in zip(welfare.groups, welfare.shares, strict=True):
        order = market.book.orders[group.order]
        lots = [
            (alternative.cell, min(alternative.cap, round(values[share])))
            for alternative, share in zip(group.alternatives, shares, strict=True)
        ]
        placement = Placement(group, tuple((cell, count) for cell, count in lots if count > 0))
        if order.qmin <= placement.lots <= order.qmax and group.order not in chosen:
            chosen[group.order] = placement
    kept: tuple[Placement, ...] = ()
    for index in sorted(chosen):
        if fits(market, (*kept, chosen[index])):
            kept = (*kept, chosen[index])
    return kept


def chosen_sites(welfare: Welfare, values: Hints) -> dict[int, int]:
    """Return the cell that an answer gives each single-site hourly order."""
    return {order: cell for (order, cell), column in welfare.sites.items() if round(values[column]) == 1}


def allocation(welfare: Welfare, values: Hints) -> Allocation:
    """Round a whole answer, hourly fills included, as it stands."""
    fills = {key: round(values[column]) for key, column in welfare.fills.items()}
    return Allocation(placements(welfare, values), {key: lots for key, lots in fills.items() if lots > 0})


def prices(welfare: Welfare, duals: Hints) -> dict[tuple[int, int], int]:
    """Return the rounded duals of a relaxation as prices in micros, with the cheapest reserve where there is none.

    Any vector proves a bound, so an answer without duals only makes a loose one.
    """
    market = welfare.market
    vector = {
        (cell, period): stack[0].reserve
        for cell, row in enumerate(market.stacks)
        for period, stack in enumerate(row)
        if stack
    }
    if len(duals) != len(welfare.program.row_lower) or not all(map(math.isfinite, duals)):
        return vector
    for (cell, period), row in welfare.balances.items():
        # Below the cheapest reserve a price only makes demand look better; supply gains nothing either way.
        price = welfare.base + round(duals[row] * welfare.unit / market.periods[period].hours)
        vector[cell, period] = max(price, vector[cell, period])
    return vector
