"""Freezing a book: what is cut, split, left out, and that the pure split loses nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.auctions import book as books
from exchange.auctions.book import Demand, Grid, LeftOut, Supply
from exchange.clearing.book import Attributes, Cell, Needs, OrderKind

CELL = Cell("zjk-1/ascend-910b3/roce", "zjk-1", Attributes(model="ascend-910b3", mem_gb=64))
HOURLY_GRID = Grid(lot_units=1, step=1, first_slot=0, end_slot=48)


def supply(**changes: object) -> Supply:
    plain = Supply("off_a", "org_p", CELL, 0, 24, 16, 8_000_000, 1)
    return replace(plain, **changes)  # type: ignore[arg-type]


def demand(**changes: object) -> Demand:
    plain = Demand("ord_a", "org_b", OrderKind.HOURLY, 0, 8, 0, 8, 20, False, 9_000_000, Needs(), 2)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_what_lies_before_the_lead_time_or_beyond_the_horizon_is_cut() -> None:
    frozen = books.freeze(replace(HOURLY_GRID, first_slot=6, end_slot=12), [supply()], [demand()])
    assert [(offer.t0, offer.t1) for offer in frozen.book.offers] == [(6, 12)]
    assert [(order.earliest, order.latest) for order in frozen.book.orders] == [(8, 12)]


def test_an_offer_sold_in_part_is_split_into_stretches_of_equal_remainder() -> None:
    frozen = books.freeze(HOURLY_GRID, [supply(used=dict.fromkeys(range(8, 20), 12))], [])
    assert [(offer.id, offer.t0, offer.t1, offer.qty) for offer in frozen.book.offers] == [
        ("off_a.0", 0, 8, 16),
        ("off_a.20", 20, 24, 16),
        ("off_a.8", 8, 20, 4),
    ]
    assert books.ids_of(frozen.book.offers) == {"off_a"}


def test_an_offer_sold_out_in_every_slot_left_is_left_out() -> None:
    frozen = books.freeze(HOURLY_GRID, [supply(used=dict.fromkeys(range(24), 16))], [])
    assert frozen.book.offers == ()
    assert frozen.left_out == {"off_a": LeftOut.NOTHING_LEFT}


def test_a_block_that_no_longer_fits_into_its_window_is_left_out() -> None:
    block = demand(kind=OrderKind.BLOCK, units_min=8, hours=12)
    frozen = books.freeze(replace(HOURLY_GRID, first_slot=9), [supply()], [block])
    assert frozen.order_ids == frozenset()
    assert frozen.left_out == {"ord_a": LeftOut.NOTHING_LEFT}


def test_lots_and_prices_per_lot_leave_the_units_of_the_database_behind() -> None:
    grid = replace(HOURLY_GRID, lot_units=8)
    block = demand(kind=OrderKind.BLOCK, units_min=8, units_max=16, hours=12)
    frozen = books.freeze(grid, [supply()], [block])
    assert (frozen.book.offers[0].qty, frozen.book.offers[0].reserve) == (2, 64_000_000)
    order = frozen.book.orders[0]
    assert (order.qmin, order.qmax, order.limit) == (1, 2, 72_000_000)


def test_windows_are_cut_to_whole_steps_of_the_grid() -> None:
    grid = Grid(lot_units=1, step=4, first_slot=5, end_slot=22)
    frozen = books.freeze(grid, [supply()], [])
    assert [(offer.t0, offer.t1) for offer in frozen.book.offers] == [(8, 20)]


@pytest.mark.parametrize(("offer_seq", "order_seq", "out"), [(1, 2, "ord_a"), (3, 2, "off_a")])
def test_the_later_entered_half_of_an_organisations_own_pair_is_left_out(
    offer_seq: int, order_seq: int, out: str
) -> None:
    frozen = books.freeze(HOURLY_GRID, [supply(provider="org_b", seq=offer_seq)], [demand(seq=order_seq)])
    assert frozen.left_out == {out: LeftOut.OWN_COUNTERPART}


def test_an_organisation_on_both_sides_keeps_both_when_they_cannot_meet() -> None:
    other = demand(needs=Needs(model=("h100",)))
    frozen = books.freeze(HOURLY_GRID, [supply(provider="org_b")], [other])
    assert frozen.left_out == {}


def test_the_gate_is_the_last_acceptance_number_in_the_book() -> None:
    assert books.last_seq(books.freeze(HOURLY_GRID, [supply(seq=7)], [demand(seq=3)]).book) == 7
    assert books.last_seq(books.freeze(HOURLY_GRID, [], []).book) == 0


@given(
    units=st.integers(1, 12),
    start=st.integers(0, 10),
    length=st.integers(1, 20),
    used=st.dictionaries(st.integers(0, 30), st.integers(0, 12)),
    lot=st.integers(1, 3),
    step=st.sampled_from([1, 2, 3]),
)
def test_stretches_hold_slot_by_slot_what_is_left(
    units: int, start: int, length: int, used: dict[int, int], lot: int, step: int
) -> None:
    used = {slot: min(quantity, units) for slot, quantity in used.items()}
    grid = Grid(lot_units=lot, step=step, first_slot=2, end_slot=25)
    frozen = books.freeze(grid, [supply(start=start, end=start + length, units=units, used=used)], [])
    found: dict[int, int] = {}
    for offer in frozen.book.offers:
        for slot in range(offer.t0, offer.t1):
            assert slot not in found
            found[slot] = offer.qty
    # Slot by slot, the plain way: whole steps inside window and horizon, the least remainder of the step.
    for slot in range(40):
        begin = slot - slot % step
        inside = begin >= max(start, 2) and begin + step <= min(start + length, 25)
        lots = min(units - used.get(hour, 0) for hour in range(begin, begin + step)) // lot if inside else 0
        assert found.get(slot, 0) == lots


def test_what_is_barred_neither_trades_nor_keeps_its_counterpart_out() -> None:
    suspended = supply(provider="org_b", is_barred=True)
    frozen = books.freeze(HOURLY_GRID, [suspended, supply(id="off_b", seq=3)], [demand(seq=2)])
    assert frozen.left_out == {"off_a": LeftOut.BARRED}
    assert books.ids_of(frozen.book.offers) == {"off_b"}
    assert frozen.order_ids == {"ord_a"}
