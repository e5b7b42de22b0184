"""The life of an order's part in a round."""

from enum import StrEnum
from typing import Final


class EntryState(StrEnum):
    """Where an order's part in a round stands."""

    LOCKED = "locked"
    SETTLED = "settled"
    RELEASED = "released"  # the round was void: the order went on untouched


MOVES: Final[dict[EntryState, frozenset[EntryState]]] = {
    EntryState.LOCKED: frozenset({EntryState.SETTLED, EntryState.RELEASED}),
    EntryState.SETTLED: frozenset(),
    EntryState.RELEASED: frozenset(),
}
