"""What contracts decline."""

from accounts.foundation.errors import Conflict, NotFound


class NoSuchContract(NotFound):
    """There is no such contract, or none that the caller is a party to."""

    code = "contract_not_found"


class ContractCannotMove(Conflict):
    """The contract's state does not allow the step."""

    code = "contract_cannot_move"

    def __init__(self, status: str, wanted: str) -> None:
        super().__init__(f"A contract that is {status} cannot become {wanted}.")


class NoTaxRate(Conflict):
    """Reference data has a gap: nobody can be invoiced for a time without a tax rate."""

    code = "no_tax_rate"

    def __init__(self, jurisdiction: str, category: str, instant: str) -> None:
        super().__init__(f"No rate for tax category {category} in {jurisdiction} is in force at {instant}.")


class NoFeeSchedule(Conflict):
    """Reference data has a gap: no fee schedule holds at the time, or none has the version."""

    code = "no_fee_schedule"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no fee schedule {what}.")


class NoLegalEntity(Conflict):
    """The exchange itself cannot invoice before its legal entity is entered."""

    code = "no_legal_entity"

    def __init__(self, name: str, instant: str) -> None:
        super().__init__(f"{name} has no legal entity in force at {instant}; it is needed to invoice.")
