"""What an order may say, the life it leads, and what a change does to its place in the queue."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OrderKind(StrEnum):
    """How an order's hours hang together."""

    BLOCK = "block"
    HOURLY = "hourly"


class LimitSource(StrEnum):
    """Where a limit price comes from: a buyer named it, or an import drew it from a documented distribution."""

    DECLARED = "declared"
    SYNTHETIC = "synthetic"


class OrderStatus(StrEnum):
    """Where an order stands. An order refused at entry changes nothing and leaves no row."""

    OPEN = "open"
    LOCKED = "locked"
    FILLED = "filled"
    PARTLY_FILLED = "partly_filled"
    UNFILLED = "unfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# In plain strings, for queries and constraints.
LIVE: Final = (OrderStatus.OPEN.value, OrderStatus.LOCKED.value)

MOVES: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = MappingProxyType(
    {
        OrderStatus.OPEN: frozenset({OrderStatus.LOCKED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}),
        # Back to open: a void round, or hours left that the order wants to see in the next one.
        OrderStatus.LOCKED: frozenset(
            {
                OrderStatus.OPEN,
                OrderStatus.FILLED,
                OrderStatus.PARTLY_FILLED,
                OrderStatus.UNFILLED,
            }
        ),
        OrderStatus.FILLED: frozenset(),
        OrderStatus.PARTLY_FILLED: frozenset(),
        OrderStatus.UNFILLED: frozenset(),
        OrderStatus.CANCELLED: frozenset(),
        OrderStatus.EXPIRED: frozenset(),
    }
)
