"""The life of a round: its statuses, the moves between them, and what its clock allows."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from exchange.rounds.errors import RoundMoveRefused


class RoundStatus(StrEnum):
    """Where a round stands. `degraded` is a mark beside it, not a status."""

    OPEN = "open"
    LOCKED = "locked"  # the no-cancel phase: nothing may be lowered or withdrawn
    GATED = "gated"  # the book is frozen and stored
    CLEARING = "clearing"
    CLEARED = "cleared"  # the verified outcome is stored; trades are being written
    PUBLISHED = "published"
    VOID = "void"


MOVES: Final[dict[RoundStatus, frozenset[RoundStatus]]] = {
    RoundStatus.OPEN: frozenset({RoundStatus.LOCKED, RoundStatus.GATED, RoundStatus.VOID}),
    RoundStatus.LOCKED: frozenset({RoundStatus.GATED, RoundStatus.VOID}),
    RoundStatus.GATED: frozenset({RoundStatus.CLEARING, RoundStatus.VOID}),
    RoundStatus.CLEARING: frozenset({RoundStatus.CLEARED, RoundStatus.VOID}),
    # A stored outcome binds: from here a round can only be settled to its end.
    RoundStatus.CLEARED: frozenset({RoundStatus.PUBLISHED}),
    RoundStatus.PUBLISHED: frozenset(),
    RoundStatus.VOID: frozenset(),
}


class VoidState(StrEnum):
    """Where a wish to give a round up stands: one person asks, another decides."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


VOID_MOVES: Final[dict[VoidState, frozenset[VoidState]]] = {
    VoidState.ASKED: frozenset({VoidState.CONFIRMED, VoidState.DECLINED}),
    VoidState.CONFIRMED: frozenset(),
    VoidState.DECLINED: frozenset(),
}

TAKING_ORDERS: Final = frozenset({RoundStatus.OPEN, RoundStatus.LOCKED})
IN_PROGRESS: Final = frozenset({RoundStatus.GATED, RoundStatus.CLEARING, RoundStatus.CLEARED})


def check_move(current: str, target: RoundStatus) -> None:
    """Raise RoundMoveRefused unless a round may go from one status to the other."""
    if target not in MOVES[RoundStatus(current)]:
        raise RoundMoveRefused(current, target)


def takes_orders_at(status: str, *, gate_at: datetime, now: datetime) -> bool:
    """Tell whether what is accepted at this instant belongs to the round's book."""
    return RoundStatus(status) in TAKING_ORDERS and now < gate_at


def allows_lowering_at(status: str, *, locks_at: datetime, now: datetime) -> bool:
    """Tell whether something in this round's coming book may still be lowered or withdrawn."""
    return RoundStatus(status) is RoundStatus.OPEN and now < locks_at
