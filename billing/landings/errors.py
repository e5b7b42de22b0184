"""What a landing refuses."""

from datetime import datetime

from accounts.foundation.errors import Conflict
from catalog.measures.money import Money


class WalletStopped(Conflict):
    """New use of a wallet that ran out and was not topped up in its time."""

    code = "wallet_stopped"

    def __init__(self, missing: Money, *, since: datetime) -> None:
        super().__init__(
            f"The wallet ran out and has been stopped since {since.isoformat()}; top up at least {missing} to go on."
        )
