"""What is declined about orders."""

from collections.abc import Sequence

from accounts.foundation.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRequired,
    Unprocessable,
)
from catalog.measures.money import Money, format_minor


class OrderNotFound(NotFound):
    """There is no such order, or it is not the actor's."""

    code = "order_not_found"


class OrderInvalid(Invalid):
    """The order does not fit the rules of its market."""

    code = "order_invalid"


class OrderUnchanged(Invalid):
    """A change that changes nothing is a mistake of the caller."""

    code = "order_unchanged"

    def __init__(self) -> None:
        super().__init__("The order says this already; name at least one thing to change.")


class OrderMoveRefused(Conflict):
    """The order's status does not allow what was asked of it."""

    code = "order_not_open"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an open order can be changed or cancelled; this one is {status.replace('_', ' ')}.")


class OrderChangedMeanwhile(Conflict):
    """Another request has changed the order first."""

    code = "order_changed"

    def __init__(self) -> None:
        super().__init__("The order was changed by another request; look at it again.")


class OrderPartlyFilled(Conflict):
    """What is filled cannot be changed, and what is left is uneven."""

    code = "order_partly_filled"

    def __init__(self) -> None:
        super().__init__(
            "Part of this order is filled: only its limit, budget and rolling over can change. Cancel the rest "
            "and place a new order."
        )


class BuyerNotActive(Forbidden):
    """The organisation may not buy at present."""

    code = "buyer_not_active"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only an active organisation that buys can place orders; this one is {status}.")


class OverBudget(Unprocessable):
    """The worst case exceeds the order's own budget."""

    code = "over_budget"

    def __init__(self, *, needed: Money, budget: Money, largest_quantity: int) -> None:
        super().__init__(
            f"At the limit price, with fee, tax and extras, the order may cost {needed}; its budget is {budget}. "
            f"{largest_fitting(largest_quantity)}",
            (FieldProblem("/budget", f"expected at least {needed} for this quantity, got {budget}"),),
        )
        self.facts = {
            "needed": _money(needed),
            "budget": _money(budget),
            "largest_quantity": largest_quantity,
        }


class OrderUnfunded(PaymentRequired):
    """The worst case exceeds the organisation's available funds."""

    code = "order_unfunded"

    def __init__(self, *, reason: str, needed: Money, available: Money, largest_quantity: int) -> None:
        fitting = largest_fitting(largest_quantity)
        super().__init__(
            f"{reason} {fitting}",
            (FieldProblem("/quantity", f"needs {needed}, with {available} available. {fitting}"),),
        )
        self.facts = {
            "needed": _money(needed),
            "available": _money(available),
            "largest_quantity": largest_quantity,
        }


class NeedsUnsatisfiable(Unprocessable):
    """No listed cell can ever fill the order; the reasons are ranked, the need that excludes most first."""

    code = "needs_unsatisfiable"

    def __init__(self, reasons: Sequence[FieldProblem]) -> None:
        what = "; ".join(reason.detail for reason in reasons) or "nothing is listed in this market"
        super().__init__(f"No listed cell can meet these needs: {what}.", reasons)


class OwnOfferCouldMeet(Conflict):
    """An organisation never trades with itself."""

    code = "own_offer_could_meet"

    def __init__(self, offer: str) -> None:
        super().__init__(
            f"This order could be filled from your own offer {offer}, and nobody trades with themselves. "
            "Withdraw the offer first, or ask for hours or needs outside of it."
        )


def largest_fitting(quantity: int) -> str:
    """Return the sentence that names the largest quantity that would fit."""
    if not quantity:
        return "Not even the smallest quantity would fit."
    return f"The largest quantity that would fit is {quantity}."


def _money(money: Money) -> dict[str, str]:
    return {"amount": format_minor(money.amount_minor, money.currency), "currency": money.currency}
