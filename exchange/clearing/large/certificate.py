"""The bound of ``exchange.clearing.certificate`` on arrays: what any prices prove, over choices before pruning.

A choice that no legal outcome could use still counts in the bound, because anybody who checks it knows no pruning.
Prices are never below the cheapest reserve of a cell, so hourly choices above their limit gain nothing and may stay
out.
"""

import numpy as np

from exchange.clearing.large.market import Market
from exchange.clearing.large.tables import Flags, Ints


def upper_bound(market: Market, prices: Ints) -> int:
    """Return the bound in micros that prices by [cell, period] prove; none may be below the cheapest reserve."""
    assert bool((prices >= market.stacks.reserve[:, :, 0])[market.stacks.capacity > 0].all())
    rent = np.maximum(prices[:, :, None] - market.stacks.reserve, 0) * market.stacks.lots
    total = int((rent.sum(axis=2) * market.axis.hours).sum())
    return total + _hourly(market, prices) + _blocks(market, prices)


def _hourly(market: Market, prices: Ints) -> int:
    hourly, orders = market.hourly, market.orders
    gain = orders.limit[hourly.order] - prices[hourly.cell, hourly.period]
    slot = hourly.order * len(market.axis.begin) + hourly.period
    best = _mixes(slot, gain, hourly.cap, least=np.zeros_like(gain), most=orders.qmax[hourly.order])
    hours = market.axis.hours[best.key % len(market.axis.begin)] if len(best.key) else best.gain
    return int((best.gain * hours).sum())


def _blocks(market: Market, prices: Ints) -> int:
    every, runs, orders = market.every, market.runs, market.orders
    sums = np.zeros((prices.shape[0], prices.shape[1] + 1), dtype=np.int64)
    np.cumsum(prices * market.axis.hours, axis=1, out=sums[:, 1:])
    order = runs.order[every.run]
    paid = sums[every.cell, runs.last[every.run]] - sums[every.cell, runs.first[every.run]]
    gain = orders.limit[order] * orders.hours[order] - paid
    single = orders.single_site[order]
    best = np.zeros(len(market.book.orders), dtype=np.int64)
    alone = single & (every.cap >= orders.qmin[order])
    np.maximum.at(best, order[alone], every.cap[alone] * gain[alone])
    mixed = ~single
    found = _mixes(
        every.run[mixed], gain[mixed], every.cap[mixed], least=orders.qmin[order[mixed]], most=orders.qmax[order[mixed]]
    )
    np.maximum.at(best, runs.order[found.key], found.gain)
    return int(best.sum())


class _Best:
    def __init__(self, key: Ints, gain: Ints) -> None:
        self.key = key
        self.gain = gain


def _mixes(key: Ints, gain: Ints, cap: Ints, *, least: Ints, most: Ints) -> _Best:
    """Return for each key the most that 0 or ``least`` to ``most`` lots can gain, each lot from one of its entries."""
    if not len(key):
        return _Best(key, gain)
    ranked = np.lexsort((-cap, -gain, key))
    key, gain, cap, least, most = key[ranked], gain[ranked], cap[ranked], least[ranked], most[ranked]
    first = _heads(key)
    before = np.cumsum(cap) - cap
    before -= np.repeat(before[first], np.diff(np.append(first, len(key))))
    wanted = np.where(gain > 0, most, least)
    lots = np.clip(wanted - before, 0, cap)
    total = np.add.reduceat(lots * gain, first)
    enough = np.add.reduceat(lots, first) >= least[first]
    return _Best(key[first], np.where(enough, np.maximum(total, 0), 0))


def _heads(key: Ints) -> Ints:
    new: Flags = np.ones(len(key), dtype=bool)
    new[1:] = key[1:] != key[:-1]
    return np.flatnonzero(new)
