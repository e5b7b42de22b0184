"""What a round declines."""

from datetime import datetime

from accounts.foundation.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class RoundMoveRefused(Conflict):
    """The round's status does not allow what was asked of it."""

    code = "round_move_refused"

    def __init__(self, current: str, target: str) -> None:
        super().__init__(f"A round that is {current} cannot become {target}.")


class NoCancelPhase(Conflict):
    """The no-cancel phase has begun, or the book is frozen."""

    code = "no_cancel_phase"

    def __init__(self, gate_at: datetime) -> None:
        super().__init__(
            f"The round with its gate at {gate_at:%Y-%m-%dT%H:%M:%SZ} no longer lets anything be lowered or "
            "withdrawn; higher limits and larger quantities are taken until the gate."
        )


class GateClosed(Conflict):
    """The gate is past: what stood in the book at that instant does not change any more."""

    code = "gate_closed"

    def __init__(self, gate_at: datetime) -> None:
        super().__init__(
            f"The gate at {gate_at:%Y-%m-%dT%H:%M:%SZ} has closed over this; it can be changed again when the round is "
            "published."
        )


class RoundNotFound(NotFound):
    """There is no such round."""

    code = "round_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such round.")


class NoOpenRound(Unavailable):
    """Every coming round changed hands while this request waited for it."""

    code = "no_open_round"

    def __init__(self) -> None:
        super().__init__("The market is between two rounds; try again in a moment.")


class NothingPublished(NotFound):
    """The round has no such document yet."""

    code = "round_document_not_published"

    def __init__(self, status: str) -> None:
        super().__init__(f"This document is published with the round; the round is {status}.")


class VoidNeedsReason(Invalid):
    """A round is not given up without saying why."""

    code = "void_needs_reason"

    def __init__(self) -> None:
        super().__init__("Say why the round is given up; members read it on the round.")


class VoidNeedsPerson(Forbidden):
    """A program does not give a round up."""

    code = "void_needs_person"

    def __init__(self) -> None:
        super().__init__("Giving a round up takes two signed-in people; a key is none.")


class VoidAsked(Conflict):
    """Somebody has asked for it already."""

    code = "void_asked_already"

    def __init__(self) -> None:
        super().__init__("Somebody has asked already to give this round up; another operator confirms or declines it.")


class VoidNotAsked(Conflict):
    """There is no wish to decide on."""

    code = "void_not_asked"

    def __init__(self) -> None:
        super().__init__("Nobody asks at present to give this round up.")


class VoidOfOneself(Forbidden):
    """Who asks does not confirm."""

    code = "void_needs_second_person"

    def __init__(self) -> None:
        super().__init__("You asked for this yourself; another operator has to confirm it.")
