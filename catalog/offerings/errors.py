"""What offerings decline."""

from datetime import datetime

from accounts.foundation.errors import Conflict, Invalid, NotFound, Unprocessable


class OfferingNotFound(NotFound):
    """There is no such offering, or not for this caller."""

    code = "offering_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such offering.")


class OfferingMoveRefused(Conflict):
    """The offering's state does not allow the change."""

    code = "offering_move_refused"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A {before} offering cannot become {after}.")


class SiteNotOpen(Unprocessable):
    """Offerings are entered and listed at listed sites only."""

    code = "site_not_open"

    def __init__(self, site: str, status: str) -> None:
        super().__init__(f"The site {site} is {status}; an offering needs a listed site.")


class NotPriced(Unprocessable):
    """An offering without a rate card cannot be submitted."""

    code = "offering_not_priced"

    def __init__(self) -> None:
        super().__init__("The offering has no rate card; publish one before submitting it.")


class RateCardRefused(Invalid):
    """The rate card is not well formed; every problem names its item."""

    code = "rate_card_refused"


class RateCardInThePast(Unprocessable):
    """Prices hold from now on, never backwards."""

    code = "rate_card_in_the_past"

    def __init__(self, effective_from: datetime, earliest: datetime) -> None:
        super().__init__(
            f"The rate card would hold from {effective_from.isoformat()};"
            f" the earliest possible is {earliest.isoformat()}."
        )
