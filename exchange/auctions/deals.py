"""From an outcome to what each order bought: pure, on plain values.

An outcome says lots per slot at prices per lot-hour; a deal says units at a price per unit-hour,
by offer, in the longest runs over which both stay the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from exchange.auctions import book as books
from exchange.auctions.book import Demand
from exchange.clearing.book import OrderKind
from exchange.clearing.outcome import Outcome, PriceRun, Trade

Value = TypeVar("Value")
Credits = tuple[int, int, int]  # ppm of the price: for units handed back, for units paused, kept of those sold back


@dataclass(frozen=True)
class Deal:
    """Units in each slot of `[start, end)` of one offer, at one price in micros per unit-hour."""

    order_id: str
    offer_id: str
    start: int
    end: int
    units: int
    price_micros: int

    @property
    def unit_hours(self) -> int:
        """Units times hours."""
        return self.units * (self.end - self.start)


@dataclass(frozen=True)
class Run:
    """A quantity over slots `[start, end)`."""

    start: int
    end: int
    units: int


@dataclass(frozen=True)
class PricedRun:
    """A quantity at one price over slots `[start, end)`."""

    start: int
    end: int
    units: int
    price_micros: int


@dataclass(frozen=True)
class CellPrice:
    """One price of a cell over slots `[start, end)`, in micros per unit-hour, and what was traded at it."""

    cell: str
    start: int
    end: int
    price_micros: int
    traded_unit_hours: int


def trades_of(outcome_text: str) -> list[Trade]:
    """Read the trades of a stored outcome back; it was verified before it was stored."""
    return [
        Trade(row["order"], row["offer"], row["t0"], row["t1"], row["qty"], row["price"])
        for row in json.loads(outcome_text)["trades"]
    ]


def by_order(trades: Iterable[Trade], *, lot_units: int) -> dict[str, tuple[Deal, ...]]:
    """Return each order's deals, ordered by first slot, offer and price.

    Prices must be multiples of the lot (see `with_whole_unit_prices`).
    """
    pieces: dict[tuple[str, str], list[Deal]] = {}
    for trade in trades:
        price, remainder = divmod(trade.price, lot_units)
        assert remainder == 0, f"a price of {trade.price} per lot of {lot_units} has no whole price per unit"
        order_id, offer_id = books.base_id(trade.order), books.base_id(trade.offer)
        pieces.setdefault((order_id, offer_id), []).append(
            Deal(order_id, offer_id, trade.t0, trade.t1, trade.qty * lot_units, price)
        )
    deals: dict[str, list[Deal]] = {}
    for (order_id, _), parts in sorted(pieces.items()):
        deals.setdefault(order_id, []).extend(_merged(parts))
    return {
        order_id: tuple(sorted(found, key=lambda deal: (deal.start, deal.offer_id, deal.price_micros)))
        for order_id, found in deals.items()
    }


def price_runs(outcome_text: str, snapshot_text: str, *, lot_units: int) -> list[CellPrice]:
    """Read the prices of a stored outcome, each run with the unit-hours that were traded at it."""
    cell_of = {row["id"]: row["cell"] for row in json.loads(snapshot_text)["offers"]}
    traded: dict[str, dict[int, int]] = {}
    for trade in trades_of(outcome_text):
        by_slot = traded.setdefault(cell_of[trade.offer], {})
        for slot in range(trade.t0, trade.t1):
            by_slot[slot] = by_slot.get(slot, 0) + trade.qty * lot_units
    return [
        CellPrice(cell, start, end, price // lot_units, sum(traded.get(cell, {}).get(s, 0) for s in range(start, end)))
        for cell, runs in sorted(json.loads(outcome_text)["prices"].items())
        for start, end, price in runs
    ]


def with_whole_unit_prices(outcome: Outcome, *, lot_units: int) -> Outcome:
    """Lower every price per lot-hour to one that divides by the units of a lot.

    A price stands between a `lo` and a `hi` of limits and reserves, which divide; so the lowered
    price stays at or above `lo`, lowering hurts no buyer, and welfare and bound know no prices.
    """
    if lot_units == 1:
        return outcome

    def lowered(price: int) -> int:
        return price - price % lot_units

    return replace(
        outcome,
        prices={
            cell: tuple(PriceRun(run.t0, run.t1, lowered(run.price)) for run in runs)
            for cell, runs in outcome.prices.items()
        },
        trades=tuple(replace(trade, price=lowered(trade.price)) for trade in outcome.trades),
    )


def contract_runs(deals: Iterable[Deal]) -> tuple[PricedRun, ...]:
    """Return one offering's quantity and price by time: runs over which neither changes."""
    units: dict[int, int] = {}
    prices: dict[int, int] = {}
    for deal in deals:
        for slot in range(deal.start, deal.end):
            units[slot] = units.get(slot, 0) + deal.units
            assert prices.setdefault(slot, deal.price_micros) == deal.price_micros, "one cell, one price per slot"
    runs = _runs({slot: (quantity, prices[slot]) for slot, quantity in units.items()})
    return tuple(PricedRun(start, end, quantity, price) for start, end, (quantity, price) in runs)


def least_credits(deals: Iterable[tuple[Deal, Credits]]) -> dict[int, Credits]:
    """Return the least credits by slot: a buyer who gets a slot from two offers has the smaller one of each."""
    least: dict[int, Credits] = {}
    for deal, stated in deals:
        for slot in range(deal.start, deal.end):
            other = least.get(slot, stated)
            least[slot] = min(other[0], stated[0]), min(other[1], stated[1]), min(other[2], stated[2])
    return least


def by_credit(run: PricedRun, credits_by_slot: Mapping[int, Credits]) -> list[tuple[int, int, Credits]]:
    """Return (first slot, end slot, credits) for the stretches of a run over which the credits stay the same."""
    return _runs({slot: credits_by_slot[slot] for slot in range(run.start, run.end)})


def lease_runs(deals: Iterable[Deal]) -> tuple[Run, ...]:
    """Return one offering's quantity by time, whatever the price: what is handed over together."""
    units: dict[int, int] = {}
    for deal in deals:
        for slot in range(deal.start, deal.end):
            units[slot] = units.get(slot, 0) + deal.units
    return tuple(Run(start, end, quantity) for start, end, quantity in _runs(units))


def open_unit_hours(demand: Demand, bought: Iterable[Deal], *, first_slot: int) -> int:
    """Return the unit-hours of an order that a coming gate, which delivers from `first_slot` on, may still fill.

    A block is open as a whole or not at all; an hourly order in every slot that has something missing.
    `demand.used` is what rounds filled so far, without `bought`.
    """
    bought = tuple(bought)
    if demand.kind is OrderKind.BLOCK:
        fits = demand.latest - max(demand.earliest, first_slot) >= demand.hours
        return demand.units_max * demand.hours if fits and not bought else 0
    filled = dict(demand.used)
    for deal in bought:
        for slot in range(deal.start, deal.end):
            filled[slot] = filled.get(slot, 0) + deal.units
    slots = range(max(demand.earliest, first_slot), demand.latest)
    return sum(demand.units_max - filled.get(slot, 0) for slot in slots)


def _runs(values: Mapping[int, Value]) -> list[tuple[int, int, Value]]:
    """Return (first slot, end slot, value) for the longest runs of neighbouring slots with equal values."""
    runs: list[tuple[int, int, Value]] = []
    for slot in sorted(values):
        if runs and runs[-1][1:] == (slot, values[slot]):
            runs[-1] = (runs[-1][0], slot + 1, values[slot])
        else:
            runs.append((slot, slot + 1, values[slot]))
    return runs


def _merged(parts: Sequence[Deal]) -> list[Deal]:
    """Merge one order's parts of one offer: equal neighbours become one run, parallel ones add up."""
    first = parts[0]
    return [
        Deal(first.order_id, first.offer_id, run.start, run.end, run.units, run.price_micros)
        for run in contract_runs(parts)
    ]
