"""What Connect declines."""

from accounts.foundation.errors import Conflict, NotFound, Unprocessable
from catalog.measures.money import Money


class NotOnboarded(Conflict):
    """The provider has no account with Stripe that can be paid."""

    code = "provider_not_onboarded"

    def __init__(self, status: str | None) -> None:
        stands = "has no Stripe account" if status is None else f"has a Stripe account that is {status}"
        super().__init__(f"The provider {stands}; only an enabled one can be paid through Stripe.")


class NothingToReverse(Conflict):
    """The transfer is not where money can be fetched back from."""

    code = "transfer_not_reversible"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only a transfer that is sent or whose payout failed can be reversed; this one is {status}.")


class ReversalTooLarge(Unprocessable):
    """More cannot be fetched back than was sent."""

    code = "reversal_too_large"

    def __init__(self, *, wanted: Money, left: Money) -> None:
        super().__init__(f"{wanted} was asked back and {left} of the transfer is left.")


class NoSuchTransfer(NotFound):
    """No transfer that the caller may know of."""

    code = "transfer_not_found"


class NoSuchStripeAccount(NotFound):
    """The organisation has no Stripe account here."""

    code = "stripe_account_not_found"
