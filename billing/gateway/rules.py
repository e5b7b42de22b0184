"""What becomes of a call to the payment service: plain values."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

# Stripe forgets keys after 24 hours at the earliest; later a repeated call would be a second one.
KEY_LIVES: Final = timedelta(hours=24)
UNKNOWN_TOO_LONG: Final = timedelta(minutes=15)
# When the balance is read again, rows this much older than the newest known one are read once more.
OVERLAP: Final = timedelta(hours=1)
# These rows are posted straight to what is available by whoever sent the money: they have no pending time.
SENT_BY_US: Final = frozenset({"transfer", "transfer_reversal", "payout", "payout_reversal"})


class Operation(StrEnum):
    """What can be asked. Every one makes something, so every one has a key."""

    CUSTOMER = "customer"
    PAY_SESSION = "pay_session"
    SETUP_SESSION = "setup_session"
    PAYMENT = "payment"
    DETACH_METHOD = "detach_method"
    REFUND = "refund"
    CONNECT_ACCOUNT = "connect_account"
    CONNECT_LINK = "connect_link"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    PAYOUT = "payout"


class CallState(StrEnum):
    """Where a call stands."""

    INTENDED = "intended"  # written down; may or may not have been sent
    UNKNOWN = "unknown"  # sent, and no certain answer
    DONE = "done"
    REFUSED = "refused"


CALL_MOVES: Final[dict[CallState, frozenset[CallState]]] = {
    CallState.INTENDED: frozenset({CallState.UNKNOWN, CallState.DONE, CallState.REFUSED}),
    CallState.UNKNOWN: frozenset({CallState.DONE, CallState.REFUSED}),
    CallState.DONE: frozenset(),
    CallState.REFUSED: frozenset(),
}


class MovementStatus(StrEnum):
    """Whether a row of the Stripe balance may be used yet."""

    PENDING = "pending"
    AVAILABLE = "available"


class OwnPayoutStatus(StrEnum):
    """Where money is that Stripe sends to our bank, in Stripe's words."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


OWN_PAYOUT_MOVES: Final[dict[OwnPayoutStatus, frozenset[OwnPayoutStatus]]] = {
    OwnPayoutStatus.PENDING: frozenset(
        {OwnPayoutStatus.IN_TRANSIT, OwnPayoutStatus.PAID, OwnPayoutStatus.FAILED, OwnPayoutStatus.CANCELED}
    ),
    OwnPayoutStatus.IN_TRANSIT: frozenset({OwnPayoutStatus.PAID, OwnPayoutStatus.FAILED, OwnPayoutStatus.CANCELED}),
    # The bank may send it back some days later.
    OwnPayoutStatus.PAID: frozenset({OwnPayoutStatus.FAILED}),
    OwnPayoutStatus.FAILED: frozenset(),
    OwnPayoutStatus.CANCELED: frozenset(),
}
# For so long Stripe's payouts are looked at again: what a bank sends back, it sends back within some days.
OWN_PAYOUT_LOOK_BACK: Final = timedelta(days=14)
