"""How a payout comes about and what it passes through: plain values."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from billing.periods.rules import BOOKS_ZONE, month_of, start_of
from catalog.measures.rounding import PPM

# After a change of where money goes nothing is paid for so long: time to notice that somebody else changed it.
DESTINATION_HOLD: Final = timedelta(hours=72)


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    ACCRUING = "accruing"  # takes in what is released
    DUE = "due"  # its day has come: its amount is fixed
    APPROVED = "approved"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"  # its items are in the next one


PAYOUT_MOVES: Final[Mapping[PayoutStatus, frozenset[PayoutStatus]]] = {
    PayoutStatus.ACCRUING: frozenset({PayoutStatus.DUE}),
    PayoutStatus.DUE: frozenset({PayoutStatus.APPROVED}),
    PayoutStatus.APPROVED: frozenset({PayoutStatus.IN_TRANSIT}),
    PayoutStatus.IN_TRANSIT: frozenset({PayoutStatus.PAID, PayoutStatus.FAILED}),
    # Through Stripe alone: the provider's bank may send it back days after it was said to be paid.
    PayoutStatus.PAID: frozenset({PayoutStatus.IN_TRANSIT}),
    PayoutStatus.FAILED: frozenset(),
}


class PayoutMethod(StrEnum):
    """How money goes to a provider."""

    BANK = "bank"
    STRIPE = "stripe"


class Frequency(StrEnum):
    """When payouts fall due: as a week begins on Monday, or a month on its first day, in Asia/Shanghai."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class ItemPart(StrEnum):
    """Which part of a statement an item of a payout pays."""

    RELEASE = "release"  # what the dispute window set free
    RESERVE = "reserve"  # what was kept back then
    HELD = "held"  # below zero: what a buyer disputes
    LIFTED = "lifted"  # the same, once the dispute is resolved


def last_due(frequency: Frequency, now: datetime) -> datetime:
    """Return the last instant at which payouts of this frequency fell due."""
    if frequency is Frequency.MONTHLY:
        return start_of(month_of(now))
    today = now.astimezone(BOOKS_ZONE).date()
    return datetime.combine(today - timedelta(days=today.weekday()), time(), BOOKS_ZONE).astimezone(UTC)


def reserve_of(amount_minor: int, reserve_ppm: int) -> int:
    """Return what is kept back of an amount, rounded down; nothing of what a provider owes."""
    return max(0, amount_minor) * reserve_ppm // PPM
