"""Where a proposed change of the rules stands: plain values."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

MAX_ROWS: Final = 500
MAX_FILE_BYTES: Final = 512 * 1024


class KindName(StrEnum):
    """Which table of dated rows a change adds to."""

    TAX_RATE = "tax_rate"
    REFUND_LIMIT = "refund_limit"
    PAYOUT_TERMS = "payout_terms"
    LANDING_HOURS = "landing_hours"
    CLOSING_THRESHOLD = "closing_threshold"
    BILL_BOUND = "bill_bound"


class ChangeStatus(StrEnum):
    """Where a change stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"


CHANGE_MOVES: Final[Mapping[ChangeStatus, frozenset[ChangeStatus]]] = {
    ChangeStatus.PROPOSED: frozenset({ChangeStatus.APPROVED, ChangeStatus.DECLINED}),
    ChangeStatus.APPROVED: frozenset(),
    ChangeStatus.DECLINED: frozenset(),
}
