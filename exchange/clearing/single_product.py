"""Divisible orders for one product in one slot: arrays of bids and asks in, fills and one price out.

Bids stand by falling limit and asks by rising reserve, ties by sequence and then by place; lot by lot they trade while
the bid is at least the ask. Only orders at the margin have to be sorted for that. A histogram of quantity by price
finds the bin in which demand meets supply: all bids above it and all asks below it are filled, all others beyond it
are not, and the few orders inside are looked at again, in finer bins while they are many and by sorting when they are
few. Bins are powers of two wide and count from the lowest price, so no tick has to be known and no range is too wide.

Everything is integers. A histogram adds up in floats, which is exact below 2^53 lots in all; books beyond that are
sorted with Python's integers instead.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]

SORTED_BELOW = 1_000  # orders; where sorting and counting take the same time
BIN_BITS = 12  # bins of one histogram: few enough to stay in the first cache
EXACT_FLOATS = 2**53
INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Side:
    """All bids or all asks: price in micros, lots (1 or more) and sequence of each; then by place."""

    prices: Integers
    quantities: Integers
    sequence: Integers

    def __len__(self) -> int:
        """Return the number of orders."""
        return len(self.prices)

    def at(self, places: Integers) -> "Side":
        """Return the orders at some places."""
        return Side(self.prices[places], self.quantities[places], self.sequence[places])


@dataclass(frozen=True)
class Match:
    """What trades: the price (None if nothing does) in the middle of ``[lo, hi]``, lots by order, micros of welfare.

    ``lo`` is the dearest filled ask or the highest bid not met in full, whichever is higher; ``hi`` the cheapest ask
    with lots to spare or the lowest filled bid, whichever is lower. Any price between them contents everybody.
    """

    price: int | None
    lo: int | None
    hi: int | None
    quantity: int
    welfare: int
    bid_fills: Integers
    ask_fills: Integers


@dataclass
class _Fills:
    """The fills of some orders and the prices next to the margin, as far as these orders show them."""

    bids: NDArray[Any]
    asks: NDArray[Any]
    filled_bid: int | None = None  # the lowest
    unmet_bid: int | None = None  # the highest
    filled_ask: int | None = None  # the dearest
    spare_ask: int | None = None  # the cheapest


def match(bids: Side, asks: Side) -> Match:
    """Clear one product."""
    exact = total(bids.quantities) + total(asks.quantities) < EXACT_FLOATS
    if not exact or len(bids) + len(asks) < SORTED_BELOW:
        fills = _sorted(bids, asks, 0, 0, exact=exact)
    else:
        fills = _margin(bids, asks, 0, 0)
    bid_fills, ask_fills = fills.bids.astype(np.int64, copy=False), fills.asks.astype(np.int64, copy=False)
    quantity = int(fills.bids.sum())
    assert quantity == int(fills.asks.sum()), "as much is bought as is sold"
    if not quantity:
        return Match(None, None, None, 0, 0, bid_fills, ask_fills)
    lo = max(price for price in (fills.filled_ask, fills.unmet_bid) if price is not None)
    hi = min(price for price in (fills.spare_ask, fills.filled_bid) if price is not None)
    assert lo <= hi, "bids and asks are filled up to the margin and not beyond it"
    welfare = worth(bids.prices, bid_fills, of=quantity) - worth(asks.prices, ask_fills, of=quantity)
    return Match(lo + (hi - lo) // 2, lo, hi, quantity, welfare, bid_fills, ask_fills)


def worth(prices: Integers, lots: Integers, *, of: int) -> int:
    """Return the exact sum of price times lots; prices and lots are not negative, and ``of`` is all the lots."""
    if _largest(prices) * of < INT64:
        return int(prices @ lots)
    return sum(price * count for price, count in zip(prices.tolist(), lots.tolist(), strict=True) if count)


def _largest(values: Integers) -> int:
    return int(values.max()) if len(values) else 0


def total(lots: Integers) -> int:
    """Return the exact sum of lots."""
    if _largest(lots) * len(lots) < INT64:
        return int(lots.sum())
    return sum(lots.tolist())


def _margin(bids: Side, asks: Side, bid_ahead: int, ask_ahead: int) -> _Fills:
    """Fill by histogram; ``bid_ahead`` lots are bid above and ``ask_ahead`` lots asked below all of these prices."""
    if len(bids) + len(asks) < SORTED_BELOW:
        return _sorted(bids, asks, bid_ahead, ask_ahead)
    prices = [prices for prices in (bids.prices, asks.prices) if len(prices)]
    lowest = min(int(each.min()) for each in prices)
    span = max(int(each.max()) for each in prices) - lowest
    if span == 0:
        return _sorted(bids, asks, bid_ahead, ask_ahead)
    shift = max(0, span.bit_length() - BIN_BITS)
    bins = (span >> shift) + 1
    bid_bins, ask_bins = (bids.prices - lowest) >> shift, (asks.prices - lowest) >> shift
    demand = np.bincount(bid_bins, weights=bids.quantities, minlength=bins)
    supply = np.bincount(ask_bins, weights=asks.quantities, minlength=bins)
    # The first bin up to which supply covers what is bid above it.
    reached = np.cumsum(demand + supply)
    margin = int(np.searchsorted(reached, demand.sum() + (bid_ahead - ask_ahead)))
    inner_bids, inner_asks = np.flatnonzero(bid_bins == margin), np.flatnonzero(ask_bins == margin)
    inner = _margin(
        bids.at(inner_bids),
        asks.at(inner_asks),
        bid_ahead + int(demand[margin + 1 :].sum()),
        ask_ahead + int(supply[:margin].sum()),
    )
    fills = _Fills(bids.quantities * (bid_bins > margin), asks.quantities * (ask_bins < margin))
    fills.bids[inner_bids], fills.asks[inner_asks] = inner.bids, inner.asks
    _look_beyond(fills, inner, (bids.prices, bid_bins, demand), (asks.prices, ask_bins, supply), margin)
    return fills


_Binned: TypeAlias = tuple[Integers, NDArray[Any], NDArray[Any]]  # prices, their bins, lots by bin


def _look_beyond(fills: _Fills, inner: _Fills, bids: _Binned, asks: _Binned, margin: int) -> None:
    """Take the prices next to the margin from inside its bin, or else from the nearest bin with orders beyond."""
    fills.filled_bid = _lowest_above(bids, margin) if inner.filled_bid is None else inner.filled_bid
    fills.unmet_bid = _highest_below(bids, margin) if inner.unmet_bid is None else inner.unmet_bid
    fills.filled_ask = _highest_below(asks, margin) if inner.filled_ask is None else inner.filled_ask
    fills.spare_ask = _lowest_above(asks, margin) if inner.spare_ask is None else inner.spare_ask


def _lowest_above(side: _Binned, margin: int) -> int | None:
    prices, bins, lots = side
    found = np.flatnonzero(lots[margin + 1 :])
    return int(prices[bins == margin + 1 + found[0]].min()) if len(found) else None


def _highest_below(side: _Binned, margin: int) -> int | None:
    prices, bins, lots = side
    found = np.flatnonzero(lots[:margin])
    return int(prices[bins == found[-1]].max()) if len(found) else None


def _sorted(bids: Side, asks: Side, bid_ahead: int, ask_ahead: int, *, exact: bool = True) -> _Fills:
    """Fill by sorting: each order gets what the other side has at its price, less what stands before it."""
    bid_order, ask_order = _order(~bids.prices, bids.sequence), _order(asks.prices, asks.sequence)
    kind = np.int64 if exact else object
    bid_lots = bids.quantities[bid_order].astype(kind)
    ask_lots = asks.quantities[ask_order].astype(kind)
    falling, rising = ~bids.prices[bid_order], asks.prices[ask_order]
    demanded, supplied = _running_sum(bid_lots, bid_ahead), _running_sum(ask_lots, ask_ahead)
    offered = supplied[np.searchsorted(rising, ~falling, side="right")]
    wanted = demanded[np.searchsorted(falling, ~rising, side="right")]
    fills = _Fills(np.empty(len(bids), kind), np.empty(len(asks), kind))
    fills.bids[bid_order] = np.minimum(np.maximum(offered - demanded[:-1], 0), bid_lots)
    fills.asks[ask_order] = np.minimum(np.maximum(wanted - supplied[:-1], 0), ask_lots)
    fills.filled_bid = _lowest(bids.prices[fills.bids > 0])
    fills.unmet_bid = _highest(bids.prices[fills.bids < bids.quantities])
    fills.filled_ask = _highest(asks.prices[fills.asks > 0])
    fills.spare_ask = _lowest(asks.prices[fills.asks < asks.quantities])
    return fills


def _order(keys: Integers, sequence: Integers) -> NDArray[np.intp]:
    if np.all(sequence[:-1] <= sequence[1:]):
        return np.argsort(keys, kind="stable")
    return np.lexsort((sequence, keys))


def _running_sum(lots: NDArray[Any], ahead: int) -> NDArray[Any]:
    """Return what stands before each order, and after all of them."""
    return np.concatenate((np.array([ahead], lots.dtype), ahead + np.cumsum(lots)))


def _lowest(prices: Integers) -> int | None:
    return int(prices.min()) if len(prices) else None


def _highest(prices: Integers) -> int | None:
    return int(prices.max()) if len(prices) else None
