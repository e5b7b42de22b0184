"""A lease's arithmetic: deadlines, ends, and what counts as delivered."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.leases import rules
from exchange.leases.errors import LeaseMoveRefused
from exchange.leases.rules import EndReason, LeaseStatus, Segment

START = datetime(2026, 11, 20, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_provider_has_fifteen_minutes_and_never_beyond_the_start() -> None:
    assert rules.acknowledge_by(START, START + 30 * MINUTE) == START + 15 * MINUTE
    assert rules.acknowledge_by(START, START + 5 * MINUTE) == START + 5 * MINUTE


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        (LeaseStatus.ACTIVE, (LeaseStatus.ENDED, EndReason.COMPLETED)),
        (LeaseStatus.IMPAIRED, (LeaseStatus.FAILED, EndReason.HEARTBEAT_LOST)),
        (LeaseStatus.SCHEDULED, (LeaseStatus.FAILED, EndReason.NEVER_ACTIVATED)),
        (LeaseStatus.PROVISIONING, (LeaseStatus.FAILED, EndReason.NEVER_ACTIVATED)),
    ],
)
def test_how_a_lease_stood_decides_how_it_ends(status: LeaseStatus, becomes: tuple[LeaseStatus, EndReason]) -> None:
    assert rules.end_at_the_end(status) == becomes
    rules.check_move(status, becomes[0])


def test_a_lease_that_is_over_moves_no_more() -> None:
    with pytest.raises(LeaseMoveRefused, match="ended cannot become active"):
        rules.check_move(LeaseStatus.ENDED, LeaseStatus.ACTIVE)


def test_what_was_not_reported_was_not_delivered() -> None:
    assert rules.delivered(START, START + 3 * MINUTE, [Segment(START + MINUTE, START + 2 * MINUTE, 12)]) == (
        Segment(START, START + MINUTE, 0),
        Segment(START + MINUTE, START + 2 * MINUTE, 12),
        Segment(START + 2 * MINUTE, START + 3 * MINUTE, 0),
    )


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=30))
def test_delivered_says_minute_by_minute_what_was_reported(quantities: list[int | None]) -> None:
    reported = [
        Segment(START + i * MINUTE, START + (i + 1) * MINUTE, quantity)
        for i, quantity in enumerate(quantities)
        if quantity is not None
    ]
    found = rules.delivered(START, START + len(quantities) * MINUTE, reversed(reported))
    by_minute = [
        next(segment.quantity for segment in found if segment.starts_at <= START + i * MINUTE < segment.ends_at)
        for i in range(len(quantities))
    ]
    assert by_minute == [quantity or 0 for quantity in quantities]
    assert all(left.ends_at == right.starts_at for left, right in itertools.pairwise(found))
    assert all(left.quantity != right.quantity for left, right in itertools.pairwise(found))
