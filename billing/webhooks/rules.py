"""What is done with a message, by its type: plain values."""

from enum import StrEnum
from typing import Final

MAX_BODY_BYTES: Final = 256 * 1024


class EventState(StrEnum):
    """What became of a stored message."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"  # of no concern here, by its type or by what a person said
    PARKED = "parked"  # about something that should be ours and is not: a person looks at it


EVENT_MOVES: Final[dict[EventState, frozenset[EventState]]] = {
    EventState.RECEIVED: frozenset({EventState.PROCESSED, EventState.IGNORED, EventState.PARKED}),
    EventState.PARKED: frozenset({EventState.PROCESSED, EventState.IGNORED}),
    EventState.PROCESSED: frozenset(),
    EventState.IGNORED: frozenset(),
}


class Subject(StrEnum):
    """What a message makes us look at again."""

    INTENT = "payment_intent"
    SESSION = "checkout.session"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    ACCOUNT = "account"
    TRANSFER = "transfer"
    PAYOUT = "payout"


SUBJECT_BY_PREFIX: Final = {
    "payment_intent.": Subject.INTENT,
    "checkout.session.": Subject.SESSION,
    "charge.dispute.": Subject.DISPUTE,
    "charge.refund.": Subject.REFUND,
    "charge.": Subject.CHARGE,
    "refund.": Subject.REFUND,
    "account.updated": Subject.ACCOUNT,
    "transfer.": Subject.TRANSFER,
    "payout.": Subject.PAYOUT,
}


def subject_of(event_type: str) -> Subject | None:
    """Return what a message of a type is about; None for what is of no concern."""
    for prefix, subject in SUBJECT_BY_PREFIX.items():  # the longer prefixes of a noun stand first
        if event_type.startswith(prefix):
            return subject
    return None
