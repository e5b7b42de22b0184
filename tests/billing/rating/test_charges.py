"""Charges against a slow obvious count: second by second, card by card."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.terms import RateTerms, SlotTerms
from billing.rating import charges
from billing.rating.charges import Charge, ChargeKind, Reading, Segment, Unpriceable
from catalog.measures.interval import Interval
from tests.billing.rating import worlds
from tests.billing.rating.worlds import OFFERING, SECOND, START


def counted(slots: tuple[SlotTerms, ...], segments: tuple[Segment, ...]) -> dict[tuple[str, int], int]:
    """Walk through every second: what was delivered up to the contract, and what was missing, by price."""
    totals: dict[tuple[str, int], int] = {}
    for slot in slots:
        moment = slot.starts_at
        while moment < slot.ends_at:
            allocated = sum(segment.quantity for segment in segments if segment.interval.contains(moment))
            delivered = min(allocated, slot.quantity)
            for kind, count in (("delivered", delivered), ("undelivered", slot.quantity - delivered)):
                if count:
                    totals[kind, slot.price_micros] = totals.get((kind, slot.price_micros), 0) + count
            moment += SECOND
    return totals


def summed(found: list[Charge]) -> dict[tuple[str, int], Fraction]:
    totals: dict[tuple[str, int], Fraction] = {}
    for charge in found:
        key = (str(charge.kind), charge.price_micros)
        totals[key] = totals.get(key, Fraction(0)) + charge.raw_quantity
    return totals


def rated(slots: tuple[SlotTerms, ...], segments: tuple[Segment, ...], cuts: tuple[datetime, ...] = ()) -> list[Charge]:
    found = [charge for segment in segments for charge in charges.segment_charges(segment, slots, cuts=cuts)]
    return found + list(charges.gap_charges(slots, segments, cuts=cuts))


@given(st.data())
def test_charges_count_every_card_second_of_the_schedule_once(data: st.DataObject) -> None:
    slots = data.draw(worlds.schedules())
    segments = data.draw(worlds.deliveries(slots))
    assert summed(rated(slots, segments)) == counted(slots, segments)


@given(st.data())
def test_cuts_at_tax_changes_do_not_change_what_is_counted(data: st.DataObject) -> None:
    slots = data.draw(worlds.schedules())
    segments = data.draw(worlds.deliveries(slots))
    cuts = tuple(worlds.second(offset) for offset in data.draw(st.lists(st.integers(-5, 200), max_size=4)))
    whole, cut = rated(slots, segments), rated(slots, segments, cuts)
    assert summed(cut) == summed(whole)
    assert not any(charge.interval.start < moment < charge.interval.end for charge in cut for moment in cuts)


@given(st.data())
def test_segments_rated_in_any_portions_add_up_to_the_whole(data: st.DataObject) -> None:
    slots = data.draw(worlds.schedules())
    segments = data.draw(worlds.deliveries(slots))
    portion = data.draw(st.integers(0, len(segments)))
    first = [charge for segment in segments[:portion] for charge in charges.segment_charges(segment, slots)]
    rest = [charge for segment in segments[portion:] for charge in charges.segment_charges(segment, slots)]
    rest += charges.gap_charges(slots, segments)
    assert summed(first + rest) == summed(rated(slots, segments))


@given(st.data())
def test_a_reversal_leaves_nothing(data: st.DataObject) -> None:
    slots = data.draw(worlds.schedules())
    segments = data.draw(worlds.deliveries(slots))
    found = rated(slots, segments)
    total = summed(found + [replace(charge, raw_quantity=-charge.raw_quantity) for charge in found])
    assert set(total.values()) <= {0}


@pytest.mark.parametrize(
    ("runs", "hours"),
    [
        ([(0, 20, 8), (20, 60, 2)], Fraction(4)),
        ([(0, 30, 4), (30, 50, 1)], Fraction(7, 3)),
        ([(0, 30, 1), (30, 50, 4)], Fraction(11, 6)),
    ],
)
def test_a_resize_within_the_hour_is_counted_to_the_second(runs: list[tuple[int, int, int]], hours: Fraction) -> None:
    slots = (SlotTerms(OFFERING, START, START + timedelta(hours=1), 8, "card_hours", 12_000_000),)
    found: list[Charge] = []
    for start, end, cards in runs:
        interval = Interval(START + timedelta(minutes=start), START + timedelta(minutes=end))
        found += charges.segment_charges(Segment(OFFERING, interval, cards), slots)
    assert sum(charge.quantity for charge in found if charge.kind is ChargeKind.DELIVERED) == hours


def test_more_than_was_contracted_is_delivered_but_not_charged() -> None:
    slots = (SlotTerms(OFFERING, START, START + timedelta(hours=1), 4, "card_hours", 12_000_000),)
    found = charges.segment_charges(Segment(OFFERING, slots[0].interval, 9), slots)
    assert [(charge.kind, charge.quantity) for charge in found] == [(ChargeKind.DELIVERED, Fraction(4))]


def test_a_segment_outside_the_schedule_has_no_price_and_is_not_passed_over() -> None:
    slots = (SlotTerms(OFFERING, START, START + timedelta(hours=1), 4, "card_hours", 12_000_000),)
    with pytest.raises(Unpriceable, match="no price was agreed from"):
        charges.segment_charges(Segment(OFFERING, Interval(START, START + timedelta(hours=2)), 4), slots)


@pytest.mark.parametrize(
    ("meter", "reported", "hours", "quantity"),
    [
        ("egress_gb", "125.5", 24, Fraction("125.5")),
        ("machine_hours", "2.5", 24, Fraction("2.5")),
        ("core_hours", "0.000000001", 24, Fraction(1, 10**9)),
        ("node_hours", "3", 24, Fraction(3)),
        ("tokens_in", "1234567", 1, Fraction(1_234_567)),
        ("energy_kwh", "10.25", 24, Fraction("10.25")),
        ("memory_gb_hours", "64", 3, Fraction(192)),
        ("storage_gb_months", "1000", 73, Fraction(100)),  # a tenth of the 730 hours of a billing month
        ("storage_tb_months", "1", 730, Fraction(1)),
    ],
)
def test_a_meter_counts_in_its_own_unit_and_a_level_weighs_by_its_time(
    meter: str, reported: str, hours: int, quantity: Fraction
) -> None:
    reading = Reading(OFFERING, meter, Interval(START, START + timedelta(hours=hours)), Decimal(reported))
    assert charges.reading_charge(reading, RateTerms(meter, 1)).quantity == quantity


def test_a_percentile_cannot_be_charged_reading_by_reading() -> None:
    reading = Reading(OFFERING, "bandwidth_mbps_p95", Interval(START, START + timedelta(hours=1)), Decimal(5))
    with pytest.raises(Unpriceable, match="percentile"):
        charges.reading_charge(reading, RateTerms("bandwidth_mbps_p95", 1))
