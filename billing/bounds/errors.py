"""What bounds decline."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound


class AccountParked(Conflict):
    """Nothing is billed to a parked account."""

    code = "account_parked"
    keeps_what_was_done = True  # the parked account, and the alarm

    def __init__(self) -> None:
        super().__init__("This bill is beyond the safety bounds; finance looks at it before anything is billed.")


class NoSuchParking(NotFound):
    """There is no such parked account."""

    code = "parking_not_found"


class AlreadyReleased(Conflict):
    """The account goes on already."""

    code = "already_released"

    def __init__(self) -> None:
        super().__init__("This account was released before; expected a parked one.")


class OwnRelease(Forbidden):
    """Above the threshold two people release an account."""

    code = "own_release"

    def __init__(self) -> None:
        super().__init__("The person who asked for this release cannot approve it; a colleague must.")


class ReleaseByPerson(Forbidden):
    """A release has somebody who stands for it."""

    code = "release_by_person"

    def __init__(self) -> None:
        super().__init__("This is done by a person who is signed in, not by a key or the exchange itself.")


class BoundInThePast(Conflict):
    """Bounds hold from now on or later."""

    code = "bound_in_the_past"

    def __init__(self, seen: str, now: str) -> None:
        super().__init__(f"Bounds cannot hold from {seen}; expected {now} or later.")


class BoundTaken(Conflict):
    """There is one set of bounds from each instant."""

    code = "bound_taken"

    def __init__(self) -> None:
        super().__init__("Bounds that hold from this instant are set already; expected another instant.")
