"""What payments decline."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound, Unprocessable
from catalog.measures.money import Money, format_minor


class TopUpMoveRefused(Conflict):
    """The top-up's status does not allow it."""

    code = "top_up_move_refused"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A top-up that is {before} cannot become {after}.")


class AmountMismatch(Unprocessable):
    """What the bank shows is not what was announced; nobody guesses which is meant."""

    code = "amount_mismatch"

    def __init__(self, *, announced: Money, received: Money) -> None:
        super().__init__(
            f"{announced} was announced and {received} was received. Leave the receipt unmatched and "
            f"have a top-up of {received} requested, or return the money."
        )
        self.facts = {"announced": _document(announced), "received": _document(received)}


class OwnTopUp(Forbidden):
    """Whoever asked for a top-up does not confirm it."""

    code = "own_top_up"

    def __init__(self) -> None:
        super().__init__("The person who requested a top-up cannot confirm it; a colleague must.")


class ReceiptKnown(Conflict):
    """The bank's id of a receipt has been recorded before."""

    code = "receipt_known"

    def __init__(self, bank_reference: str) -> None:
        super().__init__(f"The bank transaction {bank_reference} has been recorded before.")


class ReceiptMatched(Conflict):
    """The receipt belongs to a top-up already."""

    code = "receipt_matched"

    def __init__(self) -> None:
        super().__init__("This bank receipt is matched, split or returned already.")


class PartsDiffer(Unprocessable):
    """The top-ups do not add up to what was received; nobody guesses which is meant."""

    code = "parts_differ"

    def __init__(self, *, received: Money, together: Money) -> None:
        super().__init__(f"{received} was received and the top-ups are {together} together.")
        self.facts = {"received": _document(received), "together": _document(together)}


class NoSuchTopUp(NotFound):
    """No top-up that the caller may know of."""

    code = "top_up_not_found"


class NoSuchReceipt(NotFound):
    """No bank receipt that the caller may know of."""

    code = "bank_receipt_not_found"


def _document(money: Money) -> dict[str, str]:
    return {"amount": format_minor(money.amount_minor, money.currency), "currency": money.currency}
