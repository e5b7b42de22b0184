"""What can fail to match, and how long it may before somebody should look."""

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


# A bank transfer may take some days; work that runs by itself may not take an hour.
TOP_UP_PATIENCE: Final = timedelta(days=5)
WORK_PATIENCE: Final = timedelta(hours=1)
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
