"""Settlement on arrays: the integer replay of ``exchange.clearing.settle``, all cells and periods at once.

In each cell and period buyers stand in canonical order, blocks before hourly orders, against the merit order of the
offers; a buyer and an offer trade where their stretches of the same line of lots overlap.
"""

import numpy as np

from exchange.clearing.large.market import Market
from exchange.clearing.large.state import State
from exchange.clearing.large.tables import Flags, Ints, ranges
from exchange.clearing.outcome import PriceRun, Trade


def trades(state: State, prices: Ints) -> tuple[tuple[Trade, ...], int]:
    """Return the trades, merged into runs of equal lots and price, and their welfare in micros."""
    market = state.market
    order, cell, period, lots = _buyers(state)
    key = cell * len(market.axis.begin) + period
    until = np.cumsum(lots)
    since = until - lots
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    since, until = since - since[first][row], until - since[first][row]
    reach = market.stacks.reach[cell, period]
    share = np.minimum(until[:, None], reach) - np.maximum(since[:, None], reach - market.stacks.lots[cell, period])
    assert bool((until <= reach[:, -1]).all()), "the allocation sells more than a cell has"
    place, step = np.nonzero(share > 0)
    offer = market.stacks.offer[cell[place], period[place], step]
    reserve = market.stacks.reserve[cell[place], period[place], step]
    dealt = share[place, step]
    order, period = order[place], period[place]
    price = prices[cell[place], period]
    welfare = int(((market.orders.limit[order] - reserve) * dealt * market.axis.hours[period]).sum())
    return _runs(market, order, offer, period, dealt, price), welfare


def _buyers(state: State) -> tuple[Ints, Ints, Ints, Ints]:
    """Return order, cell, period and lots of every purchase, in the order in which supply is handed out."""
    groups, hourly = state.market.groups, state.market.hourly
    taken, filled = np.flatnonzero(state.lots), np.flatnonzero(state.fills)
    group = groups.group[taken]
    run, owner = ranges(groups.first[group], groups.last[group])
    order = np.concatenate([groups.order[group][owner], hourly.order[filled]])
    cell = np.concatenate([groups.cell[taken][owner], hourly.cell[filled]])
    period = np.concatenate([run, hourly.period[filled]])
    lots = np.concatenate([state.lots[taken][owner], state.fills[filled]])
    later = np.concatenate([np.zeros(len(owner), dtype=np.int64), np.ones(len(filled), dtype=np.int64)])
    ranked = np.lexsort((order, later, period, cell))
    return order[ranked], cell[ranked], period[ranked], lots[ranked]


def _runs(market: Market, order: Ints, offer: Ints, period: Ints, lots: Ints, price: Ints) -> tuple[Trade, ...]:
    if not len(order):
        return ()
    ranked = np.lexsort((period, offer, order))
    order, offer, period, lots, price = (each[ranked] for each in (order, offer, period, lots, price))
    begin, end = market.axis.begin[period], market.axis.end[period]
    new: Flags = np.ones(len(order), dtype=bool)
    new[1:] = (
        (order[1:] != order[:-1])
        | (offer[1:] != offer[:-1])
        | (begin[1:] != end[:-1])
        | (lots[1:] != lots[:-1])
        | (price[1:] != price[:-1])
    )
    head = np.flatnonzero(new)
    tail = np.append(head[1:], len(order)) - 1
    orders, offers = market.book.orders, market.book.offers
    rows = zip(
        order[head].tolist(),
        offer[head].tolist(),
        begin[head].tolist(),
        end[tail].tolist(),
        lots[head].tolist(),
        price[head].tolist(),
        strict=True,
    )
    return tuple(Trade(orders[buyer].id, offers[seller].id, t0, t1, qty, at) for buyer, seller, t0, t1, qty, at in rows)


def price_runs(market: Market, prices: Ints, published: Flags) -> dict[str, tuple[PriceRun, ...]]:
    """Return the published prices by cell id as runs of equal consecutive slots, cells by id."""
    begin, end = market.axis.begin.tolist(), market.axis.end.tolist()
    runs: dict[str, list[PriceRun]] = {}
    for cell, period in zip(*(axis.tolist() for axis in np.nonzero(published)), strict=True):
        own = runs.setdefault(market.book.cells[market.cells[cell]].id, [])
        price = int(prices[cell, period])
        if own and own[-1].t1 == begin[period] and own[-1].price == price:
            own[-1] = PriceRun(own[-1].t0, end[period], price)
        else:
            own.append(PriceRun(begin[period], end[period], price))
    return {cell: tuple(own) for cell, own in runs.items()}
