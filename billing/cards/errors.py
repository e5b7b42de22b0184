"""What card payments decline."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound, Unprocessable
from catalog.measures.money import Money


class NoSuchCardPayment(NotFound):
    """No card payment that the caller may know of."""

    code = "card_payment_not_found"


class NoSuchCardMethod(NotFound):
    """No saved method that the caller may know of."""

    code = "card_method_not_found"


class NoSuchRefund(NotFound):
    """No refund that the caller may know of."""

    code = "refund_not_found"


class NothingToCollect(Conflict):
    """The invoice is paid, or its organisation has no method to collect from, or it is being collected."""

    code = "nothing_to_collect"


class RefundMoveRefused(Conflict):
    """The refund's status does not allow it."""

    code = "refund_move_refused"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A refund that is {before} cannot become {after}.")


class OwnRefund(Forbidden):
    """Whoever asks for a refund does not approve it."""

    code = "own_refund"

    def __init__(self) -> None:
        super().__init__("The person who asked for a refund cannot approve it; a colleague must.")


class NotRefundable(Conflict):
    """Only a top-up that has succeeded can go back; an invoice is corrected by a credit note."""

    code = "not_refundable"

    def __init__(self, *, purpose: str, status: str) -> None:
        super().__init__(
            f"Only a top-up that has succeeded can be refunded; this is a payment of kind {purpose} that is {status}."
        )


class RefundTooLarge(Unprocessable):
    """More cannot go back than was captured."""

    code = "refund_too_large"

    def __init__(self, *, wanted: Money, left: Money) -> None:
        super().__init__(f"{wanted} was asked back and {left} of the payment is left.")


class ReceivedDiffers(Conflict):
    """Stripe has received another amount than was asked for; nobody guesses which is meant."""

    code = "received_differs"

    def __init__(self, *, asked: Money, received: Money) -> None:
        super().__init__(f"{asked} was asked for and Stripe has received {received}.")
