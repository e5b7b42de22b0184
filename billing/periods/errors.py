"""What periods decline."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound


class PeriodNotClosed(Conflict):
    """Only what is closed can be opened again."""

    code = "period_not_closed"

    def __init__(self, month: str) -> None:
        super().__init__(f"{month} is open; only a closed month can be reopened.")


class LaterPeriodClosed(Conflict):
    """Months are reopened from the last one backwards."""

    code = "later_period_closed"

    def __init__(self, month: str, later: str) -> None:
        super().__init__(f"{month} cannot be reopened while {later} is closed; reopen that one first.")


class ReopeningDecided(Conflict):
    """The request was decided before, or another one waits."""

    code = "reopening_decided"

    def __init__(self, status: str) -> None:
        super().__init__(f"This request is {status}; only one that waits can be decided, and one waits at a time.")


class OwnReopening(Forbidden):
    """Whoever asks does not decide."""

    code = "own_reopening"

    def __init__(self) -> None:
        super().__init__("The person who asked to reopen a month cannot decide it; a colleague must.")


class PersonNeeded(Forbidden):
    """Some decisions are a person's."""

    code = "person_needed"

    def __init__(self) -> None:
        super().__init__("This is decided by a person who is signed in, not by a key or the exchange itself.")


class NoSuchPeriod(NotFound):
    """The month has not been closed yet."""

    code = "period_not_found"


class NoSuchReopening(NotFound):
    """No request with this id."""

    code = "reopening_not_found"
