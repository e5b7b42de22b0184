"""What is declined of messages."""

from accounts.foundation.errors import Conflict, NotFound


class NoSuchMessage(NotFound):
    """No message with this id."""

    code = "stripe_event_not_found"


class MessageNotParked(Conflict):
    """Only what waits for a person is decided by one."""

    code = "stripe_event_not_parked"

    def __init__(self, state: str) -> None:
        super().__init__(f"Only a parked message can be set aside; this one is {state}.")
