"""The life of a provider's Stripe account and of what is sent to it: plain values."""

from enum import StrEnum
from typing import Final


class OnboardingStatus(StrEnum):
    """Whether a provider can be paid through Stripe."""

    PREPARING = "preparing"  # the account is being made
    ONBOARDING = "onboarding"  # the provider has things to tell Stripe
    ENABLED = "enabled"
    REFUSED = "refused"  # Stripe would not make it


ONBOARDING_MOVES: Final[dict[OnboardingStatus, frozenset[OnboardingStatus]]] = {
    OnboardingStatus.PREPARING: frozenset({OnboardingStatus.ONBOARDING, OnboardingStatus.REFUSED}),
    OnboardingStatus.ONBOARDING: frozenset({OnboardingStatus.ENABLED}),
    # Stripe may ask for more at any time.
    OnboardingStatus.ENABLED: frozenset({OnboardingStatus.ONBOARDING}),
    OnboardingStatus.REFUSED: frozenset(),
}


class TransferStatus(StrEnum):
    """Where money for a provider is."""

    PREPARING = "preparing"  # the transfer is intended or under way
    SENT = "sent"  # in the provider's Stripe balance
    PAYING_OUT = "paying_out"  # on its way to the provider's bank
    PAID = "paid"
    PAYOUT_FAILED = "payout_failed"  # the bank sent it back: it is in the provider's Stripe balance again
    FAILED = "failed"  # Stripe refused the transfer: nothing left our balance
    REVERSED = "reversed"  # back in our balance, all of it


TRANSFER_MOVES: Final[dict[TransferStatus, frozenset[TransferStatus]]] = {
    TransferStatus.PREPARING: frozenset({TransferStatus.SENT, TransferStatus.FAILED}),
    TransferStatus.SENT: frozenset(
        {TransferStatus.PAYING_OUT, TransferStatus.PAID, TransferStatus.PAYOUT_FAILED, TransferStatus.REVERSED}
    ),
    TransferStatus.PAYING_OUT: frozenset({TransferStatus.PAID, TransferStatus.PAYOUT_FAILED}),
    # Banks send money back days after it was said to be paid.
    TransferStatus.PAID: frozenset({TransferStatus.PAYOUT_FAILED}),
    TransferStatus.PAYOUT_FAILED: frozenset({TransferStatus.REVERSED}),
    TransferStatus.FAILED: frozenset(),
    TransferStatus.REVERSED: frozenset(),
}


class ReversalStatus(StrEnum):
    """Where money that is fetched back from a provider is."""

    PREPARING = "preparing"
    DONE = "done"
    REFUSED = "refused"
