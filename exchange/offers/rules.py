"""The life of an offer, and what a change of it does to its place in the queue."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OfferStatus(StrEnum):
    """Where an offer stands."""

    OPEN = "open"
    PARTLY_SOLD = "partly_sold"
    SOLD = "sold"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


# In plain strings, for queries and constraints.
LIVE: Final = (OfferStatus.OPEN.value, OfferStatus.PARTLY_SOLD.value)

MOVES: Final[Mapping[OfferStatus, frozenset[OfferStatus]]] = MappingProxyType(
    {
        OfferStatus.OPEN: frozenset(
            {
                OfferStatus.PARTLY_SOLD,
                OfferStatus.SOLD,
                OfferStatus.WITHDRAWN,
                OfferStatus.EXPIRED,
            }
        ),
        OfferStatus.PARTLY_SOLD: frozenset({OfferStatus.SOLD, OfferStatus.WITHDRAWN, OfferStatus.EXPIRED}),
        OfferStatus.SOLD: frozenset(),
        OfferStatus.WITHDRAWN: frozenset(),
        OfferStatus.EXPIRED: frozenset(),
    }
)
