"""What a market declines."""

from accounts.foundation.errors import Conflict, Invalid, NotFound


class MarketUnknown(NotFound):
    """There is no such market."""

    code = "market_not_found"


class MarketSuspended(Conflict):
    """The market takes nothing at present."""

    code = "market_suspended"

    def __init__(self, code: str) -> None:
        super().__init__(f"The market {code} is suspended; it takes no offers and orders until it is resumed.")


class MarketMoveRefused(Conflict):
    """The market's status does not allow what was asked of it."""

    code = "market_move_refused"

    def __init__(self, current: str, target: str) -> None:
        super().__init__(f"A market that is {current} cannot become {target}.")


class MarketRulesInvalid(Invalid):
    """The rules of a market contradict each other or the house."""

    code = "market_rules_invalid"


class CalendarInvalid(Invalid):
    """A calendar contradicts itself or what is announced and open already."""

    code = "calendar_invalid"


class MarketExists(Conflict):
    """The code is taken."""

    code = "market_exists"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is a market with the code {code} already.")
