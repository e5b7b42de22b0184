"""What the workbench and the close of a month decline."""

from collections.abc import Sequence

from accounts.foundation.errors import Conflict, FieldProblem, Forbidden, NotFound, Unprocessable


class BreakResolved(Conflict):
    """Somebody has dealt with it."""

    code = "break_resolved"

    def __init__(self, status: str) -> None:
        super().__init__(f"This break is {status}; only an open one can be worked on.")


class SettlementWaits(Conflict):
    """An entry is proposed and not decided."""

    code = "settlement_waits"

    def __init__(self) -> None:
        super().__init__(
            "An entry that would settle this break waits for a colleague; have it approved or declined first."
        )


class NothingProposed(Conflict):
    """There is no entry to decide."""

    code = "nothing_proposed"

    def __init__(self) -> None:
        super().__init__("No entry that would settle this break waits to be decided.")


class NotAmountOfBreak(Unprocessable):
    """An entry that settles a break is of its amount."""

    code = "not_amount_of_break"

    def __init__(self, *, wanted: str, seen: str) -> None:
        super().__init__(f"The entry moves {seen}; the break is about {wanted}.")


class PersonNeeded(Forbidden):
    """Breaks are worked by people."""

    code = "person_needed"

    def __init__(self) -> None:
        super().__init__("This is done by a person who is signed in, not by a key or the exchange itself.")


class NotAClerk(Unprocessable):
    """The owner of a break is somebody who can work on it."""

    code = "not_a_clerk"

    def __init__(self) -> None:
        super().__init__("Only somebody of the exchange's finance can own a break.")


class NoSuchBreak(NotFound):
    """No break with this id."""

    code = "break_not_found"


class PeriodNotReady(Conflict):
    """Something keeps the month open."""

    code = "period_not_ready"

    def __init__(self, month: str, failing: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            f"{month} cannot be closed yet: " + " ".join(found for _, found in failing),
            [FieldProblem(f"/{code}", found) for code, found in failing],
        )
