"""How a payout comes about and what it passes through: plain values."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from accounts.foundation import strict
from billing.periods.rules import BOOKS_ZONE, month_of, start_of
from catalog.measures.rounding import PPM

# After a change of where money goes nothing is paid for so long: time to notice that somebody else changed it.
DESTINATION_HOLD: Final = timedelta(hours=72)


_ACCOUNT: Final = re.compile("[0-9A-Z]{6,34}")
_BANK_CODE: Final = re.compile("[0-9]{12}|[A-Z]{6}[0-9A-Z]{2}(?:[0-9A-Z]{3})?")
_GROUPS: Final = re.compile("[ -]")  # how numbers are printed to be read


def account_number(value: object) -> str:
    """Return the number of a bank account, or an IBAN, as banks exchange it; raises strict.Mismatch."""
    return _number(value, _ACCOUNT, "an account number of 6 to 34 of the letters A to Z and digits 0 to 9")


def bank_code(value: object) -> str:
    """Return what a bank is found by; raises strict.Mismatch."""
    return _number(value, _BANK_CODE, "a CNAPS code of 12 digits or a BIC of 8 or 11 letters and digits")


def _number(value: object, pattern: re.Pattern[str], expected: str) -> str:
    number = _GROUPS.sub("", value).upper() if isinstance(value, str) else ""
    if not number.isascii() or pattern.fullmatch(number) is None:
        raise strict.Mismatch(value, expected)
    return number


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
