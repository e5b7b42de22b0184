"""The stages of a landing and when one follows another: plain values."""

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """Where a wallet stands that has run out."""

    GRACE = "grace"  # what runs, runs on
    STOPPED = "stopped"  # nothing new: open orders are withdrawn and do not roll over
    RELEASING = "releasing"  # what is left of leases is handed back, as far as contracts allow
    LIFTED = "lifted"  # there is enough again


MOVES: Final[dict[Stage, frozenset[Stage]]] = {
    Stage.GRACE: frozenset({Stage.STOPPED, Stage.LIFTED}),
    Stage.STOPPED: frozenset({Stage.RELEASING, Stage.LIFTED}),
    Stage.RELEASING: frozenset({Stage.LIFTED}),
    Stage.LIFTED: frozenset(),
}
NO_NEW_USE: Final = (Stage.STOPPED.value, Stage.RELEASING.value)


def after(stage: Stage, *, is_short: bool, is_due: bool) -> Stage:
    """Return the stage that follows now: one at a time, so that each is told; enough money ends it at once."""
    if not is_short:
        return Stage.LIFTED
    if not is_due:
        return stage
    return {Stage.GRACE: Stage.STOPPED, Stage.STOPPED: Stage.RELEASING}.get(stage, stage)
