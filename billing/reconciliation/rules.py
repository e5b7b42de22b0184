"""What can fail to match, how long it may before somebody should look, and the life of a break: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID


class ItemKind(StrEnum):
    """The kinds of items that do not match."""

    TOP_UP_AWAITED = "top_up_awaited"
    RECEIPT_UNMATCHED = "receipt_unmatched"
    SUSPENSE_DIFFERENCE = "suspense_difference"
    TOP_UP_POSTING = "top_up_posting"
    POSTING_WITHOUT_SOURCE = "posting_without_source"
    WALLET_OVERDRAWN = "wallet_overdrawn"
    CONTRACT_NOT_SETTLED = "contract_not_settled"
    DOCUMENT_POSTING = "document_posting"
    INVOICE_PAST_DUE = "invoice_past_due"
    RELEASE_OVERDUE = "release_overdue"
    PAYABLE_DIFFERENCE = "payable_difference"
    USAGE_CONFLICT = "usage_conflict"
    USAGE_REJECTED = "usage_rejected"
    LEASE_MISSING = "lease_missing"
    USAGE_MISSING = "usage_missing"
    USAGE_UNRATED = "usage_unrated"
    CHARGE_UNBILLED = "charge_unbilled"
    LINE_CHARGES = "line_charges"
    BANK_NOT_IN_LEDGER = "bank_not_in_ledger"
    LEDGER_NOT_IN_BANK = "ledger_not_in_bank"
    CLEARING_OVERDUE = "clearing_overdue"
    AVAILABLE_DIFFERENCE = "available_difference"
    PAYOUT_STUCK = "payout_stuck"
    STRIPE_NOT_IN_LEDGER = "stripe_not_in_ledger"
    LEDGER_NOT_AT_STRIPE = "ledger_not_at_stripe"
    STRIPE_AMOUNT = "stripe_amount"
    STRIPE_CURRENCY = "stripe_currency"
    STRIPE_DATE = "stripe_date"
    STRIPE_FEE = "stripe_fee"
    STRIPE_PAYOUT_ROWS = "stripe_payout_rows"


# A bank transfer may take some days; work that runs by itself may not take an hour.
TOP_UP_PATIENCE: Final = timedelta(days=5)
WORK_PATIENCE: Final = timedelta(hours=1)
# Agents may send for some time after a lease; months are invoiced within the day after their end.
USAGE_PATIENCE: Final = timedelta(days=1)
MONTH_PATIENCE: Final = timedelta(days=1)
# What the books say of the bank may take some days to show there.
BANK_PATIENCE: Final = timedelta(days=5)
# Reports that were declined longer ago can no longer be sent again: usage is accepted for 35 days.
USAGE_MEMORY: Final = timedelta(days=35)


@dataclass(frozen=True)
class Item:
    """One thing that does not match: since when, how much it is about, and the likely cause in a sentence.

    The subject is a row by its type and id; differences of whole accounts have none. `amount_minor` is None
    where no amount is at stake or known.
    """

    kind: ItemKind
    since: datetime | None
    cause: str
    subject_type: str = ""
    subject_id: UUID | None = None
    organisation_id: UUID | None = None
    organisation_name: str = ""
    amount_minor: int | None = None
    currency: str = ""
    count: int = 1  # of the rows of a kind that one item stands for

    @property
    def subject_key(self) -> str:
        """What an item is about, so that the same difference is known again: a row, or an account of a currency."""
        if self.subject_id is not None:
            return f"{self.subject_type}:{self.subject_id}"
        whose = str(self.organisation_id or "exchange")
        return ":".join(part for part in (self.currency, whose, self.subject_type) if part)


class BreakStatus(StrEnum):
    """Where a break stands. Whoever closes it says why; nothing closes by itself."""

    OPEN = "open"
    EXPLAINED = "explained"
    ADJUSTED = "adjusted"
    WRITTEN_OFF = "written_off"


BREAK_MOVES: Final[Mapping[BreakStatus, frozenset[BreakStatus]]] = {
    BreakStatus.OPEN: frozenset({BreakStatus.EXPLAINED, BreakStatus.ADJUSTED, BreakStatus.WRITTEN_OFF}),
    BreakStatus.EXPLAINED: frozenset(),
    BreakStatus.ADJUSTED: frozenset(),
    BreakStatus.WRITTEN_OFF: frozenset(),
}


class NoteKind(StrEnum):
    """What a line in a break's thread tells."""

    SEEN = "seen"  # found, changed or gone in a run
    COMMENT = "comment"
    OWNER = "owner"
    PROPOSED = "proposed"
    DECLINED = "declined"
    RESOLVED = "resolved"
