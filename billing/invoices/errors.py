"""What invoicing declines."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound, Unprocessable


class NothingToInvoice(Conflict):
    """No usage has come in since the last invoice."""

    code = "nothing_to_invoice"

    def __init__(self) -> None:
        super().__init__("Nothing has been delivered and reported since the last invoice of this contract.")


class ContractNotOver(Conflict):
    """The last invoice is drawn when nothing more will be delivered."""

    code = "contract_not_over"

    def __init__(self, status: str) -> None:
        super().__init__(f"The last invoice of a contract is drawn after its end; this one is {status}.")


class NoSuchInvoice(NotFound):
    """There is no such invoice, or none that the caller may see."""

    code = "invoice_not_found"


class InvoiceMoveRefused(Conflict):
    """The state of the document does not allow it."""

    code = "invoice_move_refused"

    def __init__(self, status: str, wanted: str) -> None:
        super().__init__(f"An invoice that is {status} cannot be {wanted}.")


class NothingToCredit(Conflict):
    """Everything that the invoice charged has been taken back."""

    code = "nothing_to_credit"

    def __init__(self, number: str) -> None:
        super().__init__(f"Nothing of {number} is left to take back.")


class CreditTooLarge(Unprocessable):
    """More would be taken back than was charged."""

    code = "credit_too_large"


class StatementMissing(Conflict):
    """The provider has no statement yet that could be corrected."""

    code = "statement_missing"

    def __init__(self) -> None:
        super().__init__("The provider's statement is not issued yet; what it should not say can still be corrected.")


class PaidAnotherPrice(Conflict):
    """Of hours that were sold back the provider is paid another price than the buyer pays."""

    code = "paid_another_price"

    def __init__(self) -> None:
        super().__init__(
            "These hours were sold back: their provider is paid another price than this buyer, so the statement cannot "
            "take back the same amounts. Credit the invoice without them."
        )


class DisputeTooLate(Conflict):
    """An invoice is disputed within its terms."""

    code = "dispute_too_late"

    def __init__(self, until: str) -> None:
        super().__init__(f"This invoice could be disputed until {until}.")


class NoSuchDispute(NotFound):
    """The invoice has no open dispute."""

    code = "dispute_not_found"


class DisputeNotCredited(Conflict):
    """What is upheld is credited first."""

    code = "dispute_not_credited"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"No credit note has been issued on {number} since it was disputed. Credit what is upheld first, then "
            "resolve the dispute; the provider's part is held until then."
        )


class OwnWriteOff(Forbidden):
    """Whoever asked for a write-off does not approve it."""

    code = "own_write_off"

    def __init__(self) -> None:
        super().__init__("The person who asked for a write-off cannot approve it; a colleague must.")


class NoSuchWriteOff(NotFound):
    """Nobody has asked to write this invoice off."""

    code = "write_off_not_found"
