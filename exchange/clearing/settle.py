"""Settlement: an integer replay that hands the cards of each cell and slot to their buyers.

Offers stand in merit order (reserve, seq, id), buyers in canonical order with blocks before hourly orders so that a
block keeps its provider through its run where it can, and each takes ``min(need, remaining)``. Nothing can be
oversold, no offer sells before a cheaper one, and what buyers pay is what sellers receive. The welfare is recomputed
from the trades alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from exchange.clearing.allocation import Allocation
from exchange.clearing.model import Market
from exchange.clearing.outcome import PriceRun, Trade


def trades(
    market: Market, allocation: Allocation, prices: Mapping[tuple[int, int], int]
) -> tuple[tuple[Trade, ...], int]:
    """Return the trades, merged into runs of equal quantity and price, and their welfare in micros."""
    dealt: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
    welfare = 0
    buyers = _buyers(market, allocation)
    for (cell, period), needs in sorted(buyers.items()):
        span = market.periods[period]
        for order, offer, lots in _deal(market, cell, period, needs):
            gain = market.book.orders[order].limit - market.book.offers[offer].reserve
            welfare += gain * lots * span.hours
            runs = dealt[order, offer]
            price = prices[cell, period]
            goes_on = bool(runs) and runs[-1][1:] == (span.t0, lots, price)
            begin = runs.pop()[0] if goes_on else span.t0
            runs.append((begin, span.t1, lots, price))
    return _as_trades(market, dealt), welfare


def _buyers(market: Market, allocation: Allocation) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return (order, lots) by (cell, period): blocks first, each kind in canonical order."""
    buyers: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for placement in sorted(allocation.placements, key=lambda placement: placement.order):
        for cell, lots in placement.shares:
            for period in range(placement.group.first, placement.group.last):
                buyers[cell, period].append((placement.order, lots))
    for (order, cell, period), lots in sorted(allocation.fills.items()):
        buyers[cell, period].append((order, lots))
    return buyers


def _deal(market: Market, cell: int, period: int, needs: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int, int]]:
    remaining = [[step.offer, step.qty] for step in market.stacks[cell][period]]
    for order, lots in needs:
        need = lots
        while need:
            assert remaining, "the allocation sells more than the cell has"
            offer, left = remaining[0]
            share = min(need, left)
            yield order, offer, share
            need -= share
            remaining[0][1] -= share
            if not remaining[0][1]:
                remaining.pop(0)


def _as_trades(market: Market, dealt: Mapping[tuple[int, int], list[tuple[int, int, int, int]]]) -> tuple[Trade, ...]:
    orders, offers = market.book.orders, market.book.offers
    return tuple(
        Trade(orders[order].id, offers[offer].id, t0, t1, lots, price)
        for (order, offer), runs in sorted(dealt.items())
        for t0, t1, lots, price in runs
    )


def price_runs(market: Market, prices: Mapping[tuple[int, int], int]) -> dict[str, tuple[PriceRun, ...]]:
    """Return prices by cell id as runs of equal consecutive slots, cells by id."""
    merged: dict[str, list[PriceRun]] = {}
    for (cell, period), price in sorted(prices.items()):
        span = market.periods[period]
        runs = merged.setdefault(market.book.cells[cell].id, [])
        if runs and (runs[-1].t1, runs[-1].price) == (span.t0, price):
            runs[-1] = PriceRun(runs[-1].t0, span.t1, price)
        else:
            runs.append(PriceRun(span.t0, span.t1, price))
    return {cell: tuple(runs) for cell, runs in merged.items()}
