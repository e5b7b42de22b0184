"""What makes a usage event acceptable: kinds, bounds, and where it must lie."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_BATCH: Final = 10_000  # events a request
MAX_BODY_BYTES: Final = 16 * 1024 * 1024  # of a request: 10,000 events of 1.6 kB
MAX_TEXT: Final = 200  # characters of a source or an event id
MAX_AHEAD: Final = timedelta(minutes=5)  # a provider's clock may run ahead so far
MAX_AGE: Final = timedelta(days=35)
MAX_UNITS: Final = 1_000_000  # cards, cores or nodes of one lease
MAX_PAYLOAD_CHARACTERS: Final = 8_192


class EventKind(StrEnum):
    """What an event reports."""

    SEGMENT = "segment"
    READING = "reading"
    REVERSAL = "reversal"


TYPES: Final = {
    "exchange.allocation.segment.v1": EventKind.SEGMENT,
    "exchange.meter.reading.v1": EventKind.READING,
    "exchange.correction.v1": EventKind.REVERSAL,
}


class ItemStatus(StrEnum):
    """What became of one item of a batch."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


def in_time(occurred_at: datetime, *, received_at: datetime) -> bool:
    """Whether an event is neither too far ahead of the clock nor too old to be taken."""
    return received_at - MAX_AGE <= occurred_at <= received_at + MAX_AHEAD
