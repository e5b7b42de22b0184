"""What trades decline."""

from accounts.foundation.errors import NotFound


class TradeNotFound(NotFound):
    """There is no such trade for this actor."""

    code = "trade_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such trade.")
