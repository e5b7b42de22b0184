"""Statuses of a credit limit's change, and when a warning fires: plain values."""

from enum import StrEnum
from typing import Final

MAX_LIMIT_MINOR: Final = 10**12
MAX_THRESHOLDS: Final = 10


class ChangeStatus(StrEnum):
    """Where a proposed credit limit stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"


CHANGE_MOVES: Final[dict[ChangeStatus, frozenset[ChangeStatus]]] = {
    ChangeStatus.PROPOSED: frozenset({ChangeStatus.APPROVED, ChangeStatus.DECLINED}),
    ChangeStatus.APPROVED: frozenset(),
    ChangeStatus.DECLINED: frozenset(),
}


def fires(*, spendable_minor: int, threshold_minor: int, is_armed: bool) -> tuple[bool, bool]:
    """Return whether a threshold warns now, and whether it is armed afterwards: once, until there is enough again."""
    is_below = spendable_minor < threshold_minor
    return is_below and is_armed, not is_below
