"""What the books decline."""

from datetime import datetime

from accounts.foundation.errors import Conflict, NotFound, PaymentRequired
from catalog.measures.money import Money, format_minor


class InsufficientFunds(PaymentRequired):
    """More is needed than is available; the amounts ride along for callers who can say more."""

    code = "insufficient_funds"

    def __init__(self, *, needed_minor: int, available_minor: int, currency: str) -> None:
        needed, available = Money(needed_minor, currency), Money(available_minor, currency)
        super().__init__(f"{needed} is needed and {available} is available. Top up the wallet, or ask for less.")
        self.needed_minor = needed_minor
        self.available_minor = available_minor
        self.currency = currency
        self.facts = {
            "needed": _document(needed_minor, currency),
            "available": _document(available_minor, currency),
        }


class WalletOverdrawn(InsufficientFunds):
    """An invoice took the wallet below zero; new orders wait for a top-up."""

    code = "wallet_overdrawn"

    def __init__(self, *, needed_minor: int, available_minor: int, overdraft_minor: int, currency: str) -> None:
        super().__init__(needed_minor=needed_minor, available_minor=available_minor, currency=currency)
        self.overdraft_minor = overdraft_minor
        self.detail = (
            f"The wallet is overdrawn by {Money(overdraft_minor, currency)} after an invoice. "
            f"Top it up before placing new orders; this one needs {Money(needed_minor, currency)}."
        )
        self.args = (self.detail,)


class BudgetExhausted(InsufficientFunds):
    """The project's budget has not that much left."""

    code = "project_budget_exhausted"

    def __init__(self, *, needed_minor: int, available_minor: int, currency: str) -> None:
        super().__init__(needed_minor=needed_minor, available_minor=available_minor, currency=currency)
        self.detail = (
            f"{Money(needed_minor, currency)} is needed and the project's budget has "
            f"{Money(available_minor, currency)} left. Raise the budget, or ask for less."
        )
        self.args = (self.detail,)


class AlreadyPosted(Conflict):
    """The source has its posting; the transaction of the database that tried again must be rolled back."""

    code = "already_posted"

    def __init__(self, source_type: str, purpose: str) -> None:
        super().__init__(f"This {source_type.replace('_', ' ')} has been posted for {purpose!r} before.")


class AlreadyHeld(Conflict):
    """The source has its hold; the transaction of the database that tried again must be rolled back."""

    code = "already_held"

    def __init__(self, source_type: str, purpose: str) -> None:
        super().__init__(f"Funds are held for this {source_type.replace('_', ' ')} ({purpose}) already.")


class AlreadyReversed(Conflict):
    """A ledger transaction is reversed at most once, and a reversal never."""

    code = "already_reversed"

    def __init__(self) -> None:
        super().__init__("This ledger transaction is a reversal or has been reversed before.")


class PeriodClosed(Conflict):
    """The month in which it would take effect is closed; the transaction of the database that tried is lost."""

    code = "period_closed"

    def __init__(self, effective_at: datetime) -> None:
        super().__init__(f"The month of {effective_at:%Y-%m-%d} is closed; nothing takes effect in it any more.")


class HoldTooSmall(Conflict):
    """A hold cannot give what it does not have."""

    code = "hold_too_small"

    def __init__(self, *, wanted_minor: int, open_minor: int, currency: str) -> None:
        super().__init__(
            f"The hold has {Money(open_minor, currency)} left; {Money(wanted_minor, currency)} was asked of it."
        )


class NoSuchHold(NotFound):
    """There is no hold with this id."""

    code = "hold_not_found"


class NoSuchTransaction(NotFound):
    """There is no ledger transaction with this id."""

    code = "ledger_transaction_not_found"


def _document(amount_minor: int, currency: str) -> dict[str, str]:
    return {"amount": format_minor(amount_minor, currency), "currency": currency}
