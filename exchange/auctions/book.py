"""From open offers and orders to the book that is cleared: pure, on plain values.

The database counts units (cards) and prices per unit-hour; a book counts lots and prices per
lot-hour. A book's offer or hourly order has one quantity over its whole window, so what has been
partly used is split into stretches of equal remainder: `off_...` becomes `off_....24`, where 24 is
the first slot of the stretch. Hourly orders and offers stand alone in each slot, so nothing is
lost by the split; blocks are filled once and never split.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from exchange.clearing import needs as needs_rules
from exchange.clearing import parsing
from exchange.clearing.book import Book, Cell, Needs, Offer, Order, OrderKind

STRETCH: Final = "."  # stands between an id and the first slot of its stretch; no typed id contains it


@dataclass(frozen=True)
class Grid:
    """The market's lot and step, and the slots `[first_slot, end_slot)` that a round may deliver in."""

    lot_units: int
    step: int
    first_slot: int
    end_slot: int

    def __post_init__(self) -> None:
        assert self.lot_units >= 1, self
        assert self.step >= 1, self


@dataclass(frozen=True)
class Supply:
    """An open offer: units in each slot of its window, less what earlier rounds sold of it."""

    id: str
    provider: str
    cell: Cell
    start: int
    end: int
    units: int
    reserve_micros: int  # per unit-hour
    seq: int
    used: Mapping[int, int] = field(default_factory=dict)  # slot -> units
    is_barred: bool = False  # its provider, seller, offering or site is not in business at the moment
    reseller: str = ""  # who sells hours of the provider's back; the book does not name them


@dataclass(frozen=True)
class Demand:
    """An open order, less what earlier rounds filled of it (hourly orders only)."""

    id: str
    buyer: str
    kind: OrderKind
    units_min: int
    units_max: int
    hours: int
    earliest: int
    latest: int
    single_site: bool
    limit_micros: int  # per unit-hour
    needs: Needs
    seq: int
    used: Mapping[int, int] = field(default_factory=dict)  # slot -> units
    is_barred: bool = False  # its buyer is not in business at the moment


class LeftOut(StrEnum):
    """Why an open order or offer does not stand in this book; it stays open."""

    BARRED = "its_organisation_or_listing_is_not_active"
    NOTHING_LEFT = "nothing_left_in_the_horizon"
    OWN_COUNTERPART = "could_meet_an_earlier_one_of_its_own_organisation"


@dataclass(frozen=True)
class Frozen:
    """The canonical book, with who is in it and who is not."""

    book: Book
    order_ids: frozenset[str]
    left_out: Mapping[str, LeftOut]


def freeze(grid: Grid, supplies: Sequence[Supply], demands: Sequence[Demand]) -> Frozen:
    """Build the book of a gate.

    An organisation that is on both sides keeps what it entered first: a later order or offer of
    its own that could meet it is left out, so that no trade ever has one party. Hours that are sold
    back are both their seller's and their provider's own. What is barred neither trades nor keeps
    anything else out.
    """
    left_out = {supply.id: LeftOut.BARRED for supply in supplies if supply.is_barred}
    left_out |= {demand.id: LeftOut.BARRED for demand in demands if demand.is_barred}
    supplies = [supply for supply in supplies if not supply.is_barred]
    demands = [demand for demand in demands if not demand.is_barred]
    offers = {supply.id: tuple(_book_offers(grid, supply)) for supply in supplies}
    orders = {demand.id: tuple(_book_orders(grid, demand)) for demand in demands}
    for id_, rows in [*offers.items(), *orders.items()]:
        if not rows:
            left_out[id_] = LeftOut.NOTHING_LEFT
    left_out |= dict.fromkeys(
        _later_of_own_pairs(
            [supply for supply in supplies if offers[supply.id]], [demand for demand in demands if orders[demand.id]]
        ),
        LeftOut.OWN_COUNTERPART,
    )
    kept = [supply for supply in supplies if supply.id not in left_out]
    book = parsing.make_book(
        cells={supply.cell.id: supply.cell for supply in kept}.values(),
        offers=[offer for supply in kept for offer in offers[supply.id]],
        orders=[order for id_, rows in orders.items() if id_ not in left_out for order in rows],
        grid=grid.step,
    )
    return Frozen(book, frozenset(id_ for id_ in orders if id_ not in left_out), left_out)


def base_id(book_id: str) -> str:
    """Return the offer or order that a row of the book belongs to."""
    return book_id.partition(STRETCH)[0]


def last_seq(book: Book) -> int:
    """Return the latest acceptance number in the book, 0 when it is empty: the gate."""
    return max((row.seq for rows in (book.offers, book.orders) for row in rows), default=0)


def offer_ids_in(snapshot_text: str) -> frozenset[str]:
    """Return the offers in a stored book."""
    return frozenset(base_id(row["id"]) for row in json.loads(snapshot_text)["offers"])


def _book_offers(grid: Grid, supply: Supply) -> Iterator[Offer]:
    for id_, start, end, lots in _stretches(grid, supply.id, supply.start, supply.end, supply.units, supply.used):
        yield Offer(
            id=id_,
            provider=supply.provider,
            cell=supply.cell.id,
            t0=start,
            t1=end,
            qty=lots,
            reserve=supply.reserve_micros * grid.lot_units,
            seq=supply.seq,
        )


def _book_orders(grid: Grid, demand: Demand) -> Iterator[Order]:
    if demand.kind is OrderKind.BLOCK:
        yield from _book_block(grid, demand)
        return
    for id_, start, end, lots in _stretches(
        grid, demand.id, demand.earliest, demand.latest, demand.units_max, demand.used
    ):
        yield Order(
            id=id_,
            buyer=demand.buyer,
            seq=demand.seq,
            kind=OrderKind.HOURLY,
            qmax=lots,
            limit=demand.limit_micros * grid.lot_units,
            earliest=start,
            latest=end,
            single_site=demand.single_site,
            needs=demand.needs,
        )


def _book_block(grid: Grid, demand: Demand) -> Iterator[Order]:
    assert not demand.used, "a block is filled once"
    earliest, latest = _cut(grid, demand.earliest, demand.latest)
    if latest - earliest < demand.hours:
        return
    yield Order(
        id=demand.id,
        buyer=demand.buyer,
        seq=demand.seq,
        kind=OrderKind.BLOCK,
        qmin=-(-demand.units_min // grid.lot_units),
        qmax=demand.units_max // grid.lot_units,
        limit=demand.limit_micros * grid.lot_units,
        hours=demand.hours,
        earliest=earliest,
        latest=latest,
        single_site=demand.single_site,
        needs=demand.needs,
    )


def _cut(grid: Grid, start: int, end: int) -> tuple[int, int]:
    """Cut a window to the horizon, on whole steps of the grid."""
    first = -(-max(start, grid.first_slot) // grid.step) * grid.step
    last = min(end, grid.end_slot) // grid.step * grid.step
    return first, max(first, last)


def _stretches(
    grid: Grid, id_: str, start: int, end: int, units: int, used: Mapping[int, int]
) -> Iterator[tuple[str, int, int, int]]:
    """Yield (id, first slot, end slot, lots) for each stretch with an equal, positive remainder.

    The id stays plain when one stretch holds everything that is left in the horizon.
    """
    first, last = _cut(grid, start, end)
    runs: list[tuple[int, int, int]] = []
    for slot in range(first, last, grid.step):
        lots = min(units - used.get(slot + k, 0) for k in range(grid.step)) // grid.lot_units
        if runs and runs[-1][1] == slot and runs[-1][2] == lots:
            runs[-1] = (runs[-1][0], slot + grid.step, lots)
        elif lots > 0:
            runs.append((slot, slot + grid.step, lots))
    for begin, stop, lots in runs:
        yield (id_ if len(runs) == 1 else f"{id_}{STRETCH}{begin}"), begin, stop, lots


def _later_of_own_pairs(supplies: Sequence[Supply], demands: Sequence[Demand]) -> set[str]:
    """Return the later-entered half of each order and offer of one organisation that could meet.

    Decided in order of entry, so that what is left out itself pushes nobody out.
    """
    own: dict[str, list[Supply]] = {}
    for supply in supplies:
        for party in {supply.provider, supply.reseller} - {""}:
            own.setdefault(party, []).append(supply)
    pairs = [
        (supply, demand) for demand in demands for supply in own.get(demand.buyer, []) if _could_meet(supply, demand)
    ]
    out: set[str] = set()
    for supply, demand in sorted(pairs, key=lambda pair: sorted([pair[0].seq, pair[1].seq])[::-1]):
        if supply.id not in out and demand.id not in out:
            out.add(supply.id if (supply.seq, 1) > (demand.seq, 0) else demand.id)
    return out


def _could_meet(supply: Supply, demand: Demand) -> bool:
    # Not by price: in a block a cheap share may carry one that is dearer than the limit.
    overlap = supply.start < demand.latest and demand.earliest < supply.end
    return overlap and needs_rules.satisfies(supply.cell.attributes, demand.needs)


def ids_of(rows: Iterable[Offer | Order]) -> frozenset[str]:
    """Return the offers or orders that rows of a book stand for."""
    return frozenset(base_id(row.id) for row in rows)
