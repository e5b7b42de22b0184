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
