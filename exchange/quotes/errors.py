"""What is declined about quotes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from accounts.foundation.errors import Conflict, FieldProblem, Invalid, NotFound, PaymentRequired, Unprocessable
from catalog.measures.money import Money, format_minor
from exchange.orders.errors import largest_fitting


class QuoteNotFound(NotFound):
    """There is no such quote, or it is not the actor's."""

    code = "quote_not_found"


class QuoteInvalid(Invalid):
    """What is asked for does not fit the rules of the market."""

    code = "quote_invalid"


class QuoteNotOpen(Conflict):
    """The quote is decided."""

    code = "quote_not_open"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an open quote can be accepted or withdrawn; this one is {status}.")


class QuoteExpired(Conflict):
    """The quote's time is over."""

    code = "quote_expired"

    def __init__(self, expires_at: datetime) -> None:
        super().__init__(
            f"The quote held until {expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} and has expired; ask for a new one."
        )


class QuoteSupplyGone(Conflict):
    """What the quote holds may not be sold any more."""

    code = "quote_supply_gone"

    def __init__(self) -> None:
        super().__init__(
            "A provider or a listing behind this quote was suspended after it was given; ask for a new one."
        )


class QuoteContended(Conflict):
    """Others take the same units faster than a quote can be put together."""

    code = "quote_contended"

    def __init__(self) -> None:
        super().__init__("Others are buying the same units at this moment; ask again.")


class QuotesExhausted(Conflict):
    """The organisation has as much held as one buyer may; `is_relieved`: fewer open quotes would let this one in."""

    code = "quotes_exhausted"

    def __init__(self, detail: str, *, is_relieved: bool) -> None:
        remedy = "Accept or withdraw one, or wait until it expires." if is_relieved else "Ask for fewer units or hours."
        super().__init__(f"{detail} {remedy}")


class InstantSupplyShort(Conflict):
    """There is not enough for sale at once; the reasons are ranked."""

    code = "instant_supply_short"

    def __init__(self, *, wanted: int, available: int, reasons: Sequence[FieldProblem]) -> None:
        super().__init__(
            f"{available} units are for sale at once in every hour of the window, {wanted} are wanted. "
            "Ask for less or for other hours, or place an order for the next gate.",
            (FieldProblem("/quantity", f"expected at most {available}, got {wanted}"), *reasons),
        )
        self.facts = {"available_quantity": available}


class QuoteOverBudget(Unprocessable):
    """The firm price exceeds the budget."""

    code = "over_budget"

    def __init__(self, *, needed: Money, budget: Money, largest_quantity: int) -> None:
        super().__init__(
            f"All in, with fee and tax, this costs {needed}; the budget is {budget}. "
            f"{largest_fitting(largest_quantity)}",
            (FieldProblem("/budget", f"expected at least {needed} for this quantity, got {budget}"),),
        )
        self.facts = {"needed": _money(needed), "budget": _money(budget), "largest_quantity": largest_quantity}


class QuoteUnfunded(PaymentRequired):
    """The firm price exceeds the organisation's available funds."""

    code = "quote_unfunded"

    def __init__(self, *, needed: Money, available: Money, largest_quantity: int | None) -> None:
        # An accepted quote is for what it is for; only one that is asked for can be smaller.
        fitting = "Top up the wallet first." if largest_quantity is None else largest_fitting(largest_quantity)
        super().__init__(
            f"All in, with fee and tax, this costs {needed}, and {available} is available. {fitting}",
            (FieldProblem("/quantity", f"needs {needed}, with {available} available. {fitting}"),),
        )
        self.facts = {"needed": _money(needed), "available": _money(available)}
        if largest_quantity is not None:
            self.facts["largest_quantity"] = largest_quantity


def _money(money: Money) -> dict[str, str]:
    return {"amount": format_minor(money.amount_minor, money.currency), "currency": money.currency}
