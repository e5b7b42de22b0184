"""What payouts decline."""

from datetime import datetime

from accounts.foundation.errors import Conflict, Forbidden, NotFound


class PayoutMoveRefused(Conflict):
    """The payout's status does not allow it."""

    code = "payout_move_refused"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A payout that is {before} cannot become {after}.")


class NothingToPay(Conflict):
    """What has accrued is nothing, or the provider owes."""

    code = "nothing_to_pay"

    def __init__(self, amount: str) -> None:
        super().__init__(f"{amount} has accrued; only an amount above zero can be paid.")


class OwnPayout(Forbidden):
    """Whoever made a payout due does not approve it, and nobody approves twice."""

    code = "own_payout"

    def __init__(self) -> None:
        super().__init__("The person who made a payout due, or approved it first, cannot approve it; a colleague must.")


class AbovePayable(Conflict):
    """More would be paid than the provider is owed by now."""

    code = "above_payable"

    def __init__(self) -> None:
        super().__init__("The provider is owed less than this by now; a later statement took from it.")


class NoDestination(Conflict):
    """Nobody has said where the money goes."""

    code = "no_destination"

    def __init__(self) -> None:
        super().__init__("The provider has not entered where money goes.")


class DestinationHeld(Conflict):
    """Where money goes was changed a short time ago."""

    code = "destination_held"

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Where money goes was changed; nothing is paid before {until:%Y-%m-%d %H:%M} UTC.")


class WentThroughStripe(Conflict):
    """What becomes of it is Stripe's to say."""

    code = "went_through_stripe"

    def __init__(self) -> None:
        super().__init__("The payout went through Stripe, which says itself whether it was paid.")


class PersonNeeded(Forbidden):
    """Money is sent by people."""

    code = "person_needed"

    def __init__(self) -> None:
        super().__init__("This is done by a person who is signed in, not by a key or the exchange itself.")


class NoSuchPayout(NotFound):
    """No payout that the caller may know of."""

    code = "payout_not_found"


class NoSuchTransferFile(NotFound):
    """No transfer file with this id."""

    code = "transfer_file_not_found"
