"""The lives of card payments, refunds and disputes: plain values, and moves that only go forward."""

from enum import StrEnum
from typing import Final

MAX_CARD_PAYMENT_MINOR: Final = 99_999_999  # Stripe's largest amount has eight digits


class PaymentPurpose(StrEnum):
    """What a card payment is for."""

    TOP_UP = "top_up"
    INVOICE = "invoice"


class PaymentStatus(StrEnum):
    """Where a card payment stands."""

    PREPARING = "preparing"  # Stripe is being asked
    OPEN = "open"  # a page waits for the payer, or the bank is thinking
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # declined, or refused by Stripe
    EXPIRED = "expired"  # nobody paid in time


# What is known to have been paid was paid, whatever was said before; nothing leads away from it.
PAYMENT_MOVES: Final[dict[PaymentStatus, frozenset[PaymentStatus]]] = {
    PaymentStatus.PREPARING: frozenset(
        {PaymentStatus.OPEN, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.EXPIRED}
    ),
    PaymentStatus.OPEN: frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.EXPIRED}),
    PaymentStatus.FAILED: frozenset({PaymentStatus.SUCCEEDED}),
    PaymentStatus.EXPIRED: frozenset({PaymentStatus.SUCCEEDED}),
    PaymentStatus.SUCCEEDED: frozenset(),
}


class SetupStatus(StrEnum):
    """Where the saving of a method stands."""

    PREPARING = "preparing"
    OPEN = "open"
    SAVED = "saved"
    ENDED = "ended"


SETUP_MOVES: Final[dict[SetupStatus, frozenset[SetupStatus]]] = {
    SetupStatus.PREPARING: frozenset({SetupStatus.OPEN, SetupStatus.SAVED, SetupStatus.ENDED}),
    SetupStatus.OPEN: frozenset({SetupStatus.SAVED, SetupStatus.ENDED}),
    SetupStatus.SAVED: frozenset(),
    SetupStatus.ENDED: frozenset(),
}


class RefundStatus(StrEnum):
    """Where money on its way back stands. It has left the wallet in every state but the first and the last two."""

    REQUESTED = "requested"  # waits for a second person
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # it came back, and is in the wallet again
    DECLINED = "declined"  # the second person said no


REFUND_MOVES: Final[dict[RefundStatus, frozenset[RefundStatus]]] = {
    RefundStatus.REQUESTED: frozenset({RefundStatus.SENT, RefundStatus.DECLINED}),
    RefundStatus.SENT: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    # A card can be closed after the refund was said to have arrived.
    RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset(),
    RefundStatus.DECLINED: frozenset(),
}


class DisputeStatus(StrEnum):
    """Where a charge that the payer's bank took back stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


DISPUTE_MOVES: Final[dict[DisputeStatus, frozenset[DisputeStatus]]] = {
    DisputeStatus.OPEN: frozenset({DisputeStatus.WON, DisputeStatus.LOST}),
    DisputeStatus.WON: frozenset(),
    DisputeStatus.LOST: frozenset(),
}


def dispute_status(said: str) -> DisputeStatus | None:
    """Return where a dispute stands by Stripe's word for it; None for a mere inquiry, which moves no money."""
    if said.startswith("warning_"):
        return None
    return {"won": DisputeStatus.WON, "lost": DisputeStatus.LOST}.get(said, DisputeStatus.OPEN)
