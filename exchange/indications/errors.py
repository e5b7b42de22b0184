"""What indications decline."""

from accounts.foundation.errors import NotFound


class NothingIndicated(NotFound):
    """The order has stood in no indication yet."""

    code = "nothing_indicated"

    def __init__(self) -> None:
        super().__init__("The order has stood in no indication yet; they are taken in the no-cancel phase of a round.")
