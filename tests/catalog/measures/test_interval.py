"""Half-open intervals."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.measures.errors import MeasureError
from catalog.measures.interval import Interval, hours_of

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def span(start: int, end: int) -> Interval:
    """An interval between two minutes of the day."""
    return Interval(DAY + timedelta(minutes=start), DAY + timedelta(minutes=end))


MINUTES = st.integers(0, 200)
SPANS = st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: span(*pair))


def minutes_of(intervals: tuple[Interval, ...] | list[Interval]) -> set[int]:
    """The slow reference: an interval as the set of its minutes."""
    return {
        minute
        for interval in intervals
        for minute in range(
            (interval.start - DAY) // timedelta(minutes=1), (interval.end - DAY) // timedelta(minutes=1)
        )
    }


def test_both_ends_are_needed_in_order_and_aware() -> None:
    with pytest.raises(MeasureError, match="before the end"):
        Interval(DAY, DAY)
    with pytest.raises(MeasureError, match="time zone"):
        Interval(DAY.replace(tzinfo=None), DAY)


def test_equal_instants_in_other_zones_are_the_same_interval() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert Interval(DAY.astimezone(shanghai), (DAY + timedelta(hours=1)).astimezone(shanghai)) == span(0, 60)


def test_the_end_is_outside() -> None:
    assert span(0, 60).contains(DAY)
    assert not span(0, 60).contains(DAY + timedelta(minutes=60))
    assert not span(0, 60).overlaps(span(60, 61))


def test_hours_are_exact() -> None:
    assert 8 * span(0, 20).hours + 2 * span(20, 60).hours == 4
    assert hours_of(timedelta(microseconds=1)) == Fraction(1, 3_600_000_000)


@given(SPANS, SPANS)
def test_intersection_cover_and_overlap_agree_with_sets_of_minutes(one: Interval, other: Interval) -> None:
    common = minutes_of([one]) & minutes_of([other])
    intersection = one.intersect(other)
    assert minutes_of([] if intersection is None else [intersection]) == common
    assert one.overlaps(other) == bool(common)
    assert one.covers(other) == (minutes_of([other]) <= minutes_of([one]))


@given(SPANS, st.lists(SPANS, max_size=6))
def test_subtraction_agrees_with_sets_of_minutes(whole: Interval, others: list[Interval]) -> None:
    rest = whole.subtract(others)
    assert minutes_of(rest) == minutes_of([whole]) - minutes_of(others)
    assert list(rest) == sorted(rest)


@given(SPANS, st.lists(MINUTES, max_size=6))
def test_pieces_of_a_split_make_up_the_whole(whole: Interval, cuts: list[int]) -> None:
    pieces = whole.split(DAY + timedelta(minutes=cut) for cut in cuts)
    assert pieces[0].start == whole.start
    assert pieces[-1].end == whole.end
    assert sum((piece.hours for piece in pieces), Fraction(0)) == whole.hours


def test_slots_need_a_whole_number_of_steps() -> None:
    assert [slot.hours for slot in span(0, 180).slots()] == [1, 1, 1]
    with pytest.raises(MeasureError, match="whole number"):
        list(span(0, 90).slots())
