"""The life of a lease, its deadlines, and what was delivered of it: on plain values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from accounts.foundation.errors import FieldProblem
from exchange.leases.errors import LeaseMoveRefused
from exchange.markets import rules as market_rules
from exchange.markets.rules import MarketTerms

# After the trade the provider has this long to say that it will deliver.
ACKNOWLEDGE_WITHIN: Final = timedelta(minutes=15)
# Without a heartbeat for longer than this an active lease is impaired.
HEARTBEAT_GAP: Final = timedelta(minutes=15)
# Usage of the last hour is reported after it: so long after the end reports are still taken.
REPORTING_GRACE: Final = timedelta(minutes=15)
DISPUTE_WINDOW: Final = timedelta(days=7)
MAX_ACCESS_CHARACTERS: Final = 4_000


class LeaseStatus(StrEnum):
    """Where a delivery stands."""

    SCHEDULED = "scheduled"
    ACKNOWLEDGED = "acknowledged"
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    IMPAIRED = "impaired"
    ENDED = "ended"
    FAILED = "failed"
    REPLACED = "replaced"


MOVES: Final[dict[LeaseStatus, frozenset[LeaseStatus]]] = {
    LeaseStatus.SCHEDULED: frozenset({LeaseStatus.ACKNOWLEDGED, LeaseStatus.FAILED, LeaseStatus.REPLACED}),
    LeaseStatus.ACKNOWLEDGED: frozenset(
        {LeaseStatus.PROVISIONING, LeaseStatus.ACTIVE, LeaseStatus.FAILED, LeaseStatus.REPLACED}
    ),
    LeaseStatus.PROVISIONING: frozenset({LeaseStatus.ACTIVE, LeaseStatus.FAILED, LeaseStatus.REPLACED}),
    LeaseStatus.ACTIVE: frozenset({LeaseStatus.IMPAIRED, LeaseStatus.ENDED, LeaseStatus.FAILED, LeaseStatus.REPLACED}),
    LeaseStatus.IMPAIRED: frozenset({LeaseStatus.ACTIVE, LeaseStatus.FAILED, LeaseStatus.REPLACED}),
    LeaseStatus.ENDED: frozenset(),
    LeaseStatus.FAILED: frozenset(),
    LeaseStatus.REPLACED: frozenset(),
}

# In plain strings, for queries and constraints.
OVER: Final = (LeaseStatus.ENDED.value, LeaseStatus.FAILED.value, LeaseStatus.REPLACED.value)
RUNNING: Final = (LeaseStatus.ACTIVE.value, LeaseStatus.IMPAIRED.value)
BEFORE_HAND_OVER: Final = (
    LeaseStatus.SCHEDULED.value,
    LeaseStatus.ACKNOWLEDGED.value,
    LeaseStatus.PROVISIONING.value,
)


class EndReason(StrEnum):
    """Why a lease is over."""

    COMPLETED = "completed"
    PROVIDER_FAILURE = "provider_failure"
    NEVER_ACTIVATED = "never_activated"
    HEARTBEAT_LOST = "heartbeat_lost"
    OPERATOR = "operator"
    RETURNED = "returned"  # the buyer handed all of it back before it began
    RESOLD = "resold"  # the buyer sold all of it back before it began


# What a provider may give as its reason to stop early; the operator may also give its own.
PROVIDER_REASONS: Final = frozenset({EndReason.PROVIDER_FAILURE})
EARLY_REASONS: Final = PROVIDER_REASONS | {EndReason.OPERATOR}


@dataclass(frozen=True)
class Segment:
    """So many units were there during `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime
    quantity: int


@dataclass(frozen=True)
class Rectangle:
    """`quantity` units in every hour of `[starts_at, ends_at)`."""

    quantity: int
    starts_at: datetime
    ends_at: datetime


def return_problems(
    market: MarketTerms, rectangle: Rectangle, *, starts_at: datetime, ends_at: datetime, now: datetime
) -> Iterator[FieldProblem]:
    """Check what is to be handed back of a lease over `[starts_at, ends_at)`: whole lots on the grid, in good time."""
    yield from market_rules.quantity_problems(market, rectangle.quantity, pointer="/quantity")
    yield from change_problems(
        market, rectangle.starts_at, rectangle.ends_at, starts_at=starts_at, ends_at=ends_at, now=now
    )


def resale_problems(rectangle: Rectangle, *, starts_at: datetime, ends_at: datetime) -> Iterator[FieldProblem]:
    """Check that what is to be sold back lies inside a lease over `[starts_at, ends_at)`."""
    if rectangle.starts_at < starts_at:
        yield FieldProblem(
            "/starts_at", f"expected {starts_at.isoformat()} or later, got {rectangle.starts_at.isoformat()}"
        )
    if rectangle.ends_at > ends_at:
        yield FieldProblem("/ends_at", f"expected at most {ends_at.isoformat()}, got {rectangle.ends_at.isoformat()}")


def change_problems(
    market: MarketTerms, first_at: datetime, last_at: datetime, *, starts_at: datetime, ends_at: datetime, now: datetime
) -> Iterator[FieldProblem]:
    """Check hours `[first_at, last_at)` of a lease that its buyer wants otherwise: on the grid and in good time.

    The provider has the market's lead time, as before a first delivery.
    """
    yield from market_rules.window_problems(market, first_at, last_at, start="/starts_at", end="/ends_at")
    first = max(starts_at, first_change(market, now=now))
    if first_at < first:
        yield FieldProblem(
            "/starts_at",
            f"expected {first.isoformat()} or later, the first hour of the lease after the market's lead time of "
            f"{market.lead_seconds // 60} minutes, got {first_at.isoformat()}",
        )
    if last_at > ends_at:
        yield FieldProblem("/ends_at", f"expected at most {ends_at.isoformat()}, got {last_at.isoformat()}")


def first_change(market: MarketTerms, *, now: datetime) -> datetime:
    """Return the first instant from which something can still be handed back, paused or taken up again."""
    return market_rules.grid_ceiling(market, now + timedelta(seconds=market.lead_seconds))


def check_move(current: str, target: LeaseStatus) -> None:
    """Raise LeaseMoveRefused unless a lease may go from one status to the other."""
    if target not in MOVES[LeaseStatus(current)]:
        raise LeaseMoveRefused(current, target)


def acknowledge_by(scheduled_at: datetime, starts_at: datetime) -> datetime:
    """Return when the provider must have acknowledged: 15 minutes after the trade, and never after the start."""
    return min(scheduled_at + ACKNOWLEDGE_WITHIN, starts_at)


def end_at_the_end(current: str) -> tuple[LeaseStatus, EndReason]:
    """Return what becomes of a lease whose time is over."""
    status = LeaseStatus(current)
    if status is LeaseStatus.ACTIVE:
        return LeaseStatus.ENDED, EndReason.COMPLETED
    if status is LeaseStatus.IMPAIRED:
        return LeaseStatus.FAILED, EndReason.HEARTBEAT_LOST
    return LeaseStatus.FAILED, EndReason.NEVER_ACTIVATED


def delivered(starts_at: datetime, ends_at: datetime, reported: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the whole window as segments in order: what was reported, and zero for what was not.

    Reported segments do not overlap; equal neighbours are joined.
    """
    whole: list[Segment] = []

    def add(segment: Segment) -> None:
        last = whole[-1] if whole else None
        if last and last.quantity == segment.quantity:
            whole[-1] = Segment(last.starts_at, segment.ends_at, last.quantity)
        else:
            whole.append(segment)

    at = starts_at
    for segment in sorted(reported, key=lambda one: one.starts_at):
        assert at <= segment.starts_at < segment.ends_at <= ends_at, segment
        if at < segment.starts_at:
            add(Segment(at, segment.starts_at, 0))
        add(segment)
        at = segment.ends_at
    if at < ends_at:
        add(Segment(at, ends_at, 0))
    return tuple(whole)
