"""What invoicing declines."""

from accounts.foundation.errors import Conflict, NotFound


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
