"""Uniform prices for a large allocation: intervals, whom their lower ends hurt, and the centred price in them.

Arrays are by [cell, period], in micros. The rules are those of ``exchange.clearing.prices``: sellers bound a price
from below by the dearest reserve used, spare supply from above by the cheapest reserve left, unmet hourly demand from
below and filled hourly demand from above by their limits.
"""

from dataclasses import dataclass

import numpy as np

from exchange.clearing.large.market import Market
from exchange.clearing.large.state import State, dearest, losses
from exchange.clearing.large.tables import Flags, Ints

NOTHING = np.iinfo(np.int64).max  # no upper end
HALVINGS = 20


@dataclass(frozen=True)
class Intervals:
    """Where prices may lie: ``[lo, hi]`` where anything is traded; ``hi`` is NOTHING where nobody bounds it."""

    traded: Flags
    pi_min: Ints
    unmet: Ints  # the highest limit of compatible hourly demand that is not fully met, 0 where there is none
    lo: Ints
    hi: Ints

    @property
    def is_open(self) -> bool:
        """Whether every traded cell and period has a price that divisible supply and demand accept."""
        return bool((self.lo <= self.hi)[self.traded].all())


@dataclass(frozen=True)
class Hurt:
    """Who would lose at some prices: by order the micros beyond its limit, and buyers beyond their budgets."""

    blocks: Ints
    buyers: tuple[str, ...]

    @property
    def nobody(self) -> bool:
        """Whether the prices hurt nobody."""
        return not self.buyers and not bool((self.blocks > 0).any())


def intervals(state: State, *, exempt: Flags) -> Intervals:
    """Return the intervals of an allocation; ``exempt`` are orders whose unmet demand bounds no price."""
    market = state.market
    hourly, orders = market.hourly, market.orders
    traded = state.used > 0
    pi_min = dearest(market, state.used)
    shape = market.stacks.capacity.shape
    unmet = np.zeros(shape, dtype=np.int64)
    open_ = _unmet(state)
    open_ = open_[~exempt[hourly.order[open_]]]
    np.maximum.at(unmet, (hourly.cell[open_], hourly.period[open_]), orders.limit[hourly.order[open_]])
    hi = _spare(market, state.used)
    filled = np.flatnonzero(state.fills)
    np.minimum.at(hi, (hourly.cell[filled], hourly.period[filled]), orders.limit[hourly.order[filled]])
    return Intervals(traded, pi_min, unmet, np.maximum(pi_min, unmet), hi)


def hurt(state: State, prices: Ints) -> Hurt:
    """Return whom prices hurt."""
    return Hurt(losses(state.market, state.lots, prices), tuple(sorted(_over_budget(state, prices))))


def _unmet(state: State) -> Ints:
    """Return the choices of hourly orders that are not fully met in their period."""
    market, hourly = state.market, state.market.hourly
    slot = hourly.order * len(market.axis.begin) + hourly.period
    _, row = np.unique(slot, return_inverse=True)
    got = np.bincount(row, weights=state.fills).astype(np.int64)
    return np.flatnonzero(got[row] < market.orders.qmax[hourly.order])


def _spare(market: Market, used: Ints) -> Ints:
    step = (market.stacks.reach <= used[:, :, None]).sum(axis=2)
    free = step < market.stacks.lots.shape[2]
    step = np.minimum(step, market.stacks.lots.shape[2] - 1)
    reserve = np.take_along_axis(market.stacks.reserve, step[:, :, None], axis=2)[:, :, 0]
    return np.where(free & (used < market.stacks.capacity), reserve, NOTHING)


def _over_budget(state: State, prices: Ints) -> set[str]:
    market = state.market
    budgets = market.book.budgets
    if not budgets:
        return set()
    groups, hourly = market.groups, market.hourly
    taken, filled = np.flatnonzero(state.lots), np.flatnonzero(state.fills)
    due = losses(market, state.lots, prices)
    orders = market.orders
    spent: dict[str, int] = dict.fromkeys(budgets, 0)
    worth = np.zeros(len(market.book.orders), dtype=np.int64)
    order = groups.order[groups.group[taken]]
    np.add.at(worth, order, state.lots[taken] * orders.limit[order] * orders.hours[order])
    due += worth
    price = prices[hourly.cell[filled], hourly.period[filled]] * market.axis.hours[hourly.period[filled]]
    np.add.at(due, hourly.order[filled], state.fills[filled] * price)
    for place in np.flatnonzero(due):
        buyer = market.book.orders[place].buyer
        if buyer in spent:
            spent[buyer] += int(due[place])
    return {buyer for buyer, paid in spent.items() if paid > budgets[buyer]}


def centred(state: State, found: Intervals, floors: Ints) -> Ints:
    """Return the price of every traded cell and period: the middle of its interval above its floor.

    Where a block or a budget would be hurt, the excess over the floor is halved on what it uses; floors hurt nobody.
    """
    ceiling = np.where(found.hi == NOTHING, _lowest_block_limit(state), found.hi)
    ceiling = np.maximum(np.where(ceiling == NOTHING, floors, ceiling), floors)
    prices = np.where(found.traded, floors + (ceiling - floors) // 2, 0)
    for halving in range(HALVINGS + 1):
        used = used_by(state, hurt(state, prices))
        if not used.any():
            return prices
        excess = (prices - floors) // 2 if halving < HALVINGS else np.zeros_like(prices)
        prices = np.where(used, floors + excess, prices)
    while (used := used_by(state, hurt(state, prices))).any():
        prices = np.where(used, floors, prices)
    return prices


def used_by(state: State, suffering: Hurt) -> Flags:
    """Return the cells and periods that hurt blocks and buyers use."""
    market, groups, hourly = state.market, state.market.groups, state.market.hourly
    bad = suffering.blocks > 0
    if suffering.buyers:
        bad = bad | np.array([order.buyer in suffering.buyers for order in market.book.orders])
    marks = np.zeros(state.used.shape, dtype=bool)
    if not bad.any():
        return marks
    taken = np.flatnonzero(state.lots)
    for place in taken[bad[groups.order[groups.group[taken]]]]:
        group = groups.group[place]
        marks[groups.cell[place], groups.first[group] : groups.last[group]] = True
    filled = np.flatnonzero(state.fills)
    own = filled[bad[hourly.order[filled]]]
    marks[hourly.cell[own], hourly.period[own]] = True
    return marks


def _lowest_block_limit(state: State) -> Ints:
    market, groups = state.market, state.market.groups
    lowest = np.full(state.used.shape, NOTHING, dtype=np.int64)
    for place in np.flatnonzero(state.lots):
        group = groups.group[place]
        run = lowest[groups.cell[place], groups.first[group] : groups.last[group]]
        np.minimum(run, market.orders.limit[groups.order[group]], out=run)
    return lowest
