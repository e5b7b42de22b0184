"""A billing month, and the lives of a period and of a request to reopen it: plain values."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

# Billing months are those of the exchange's seat.
BOOKS_ZONE: Final = ZoneInfo("Asia/Shanghai")


class PeriodStatus(StrEnum):
    """Whether anything may still take effect in a month."""

    OPEN = "open"
    CLOSED = "closed"


PERIOD_MOVES: Final[Mapping[PeriodStatus, frozenset[PeriodStatus]]] = {
    PeriodStatus.OPEN: frozenset({PeriodStatus.CLOSED}),
    PeriodStatus.CLOSED: frozenset({PeriodStatus.OPEN}),
}


class ReopeningStatus(StrEnum):
    """What became of a request to reopen a month."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"


REOPENING_MOVES: Final[Mapping[ReopeningStatus, frozenset[ReopeningStatus]]] = {
    ReopeningStatus.REQUESTED: frozenset({ReopeningStatus.APPROVED, ReopeningStatus.DECLINED}),
    ReopeningStatus.APPROVED: frozenset(),
    ReopeningStatus.DECLINED: frozenset(),
}


def month_of(instant: datetime) -> date:
    """Return the first day of the billing month that an instant lies in."""
    return instant.astimezone(BOOKS_ZONE).date().replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def start_of(month: date) -> datetime:
    """Return the instant at which a billing month begins; the one before it ends there."""
    return datetime.combine(month.replace(day=1), time(), BOOKS_ZONE).astimezone(UTC)


def spelled(month: date) -> str:
    """Return a month as it is written: 2026-05."""
    return f"{month:%Y-%m}"
