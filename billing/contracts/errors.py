"""What contracts decline."""

from accounts.foundation.errors import Conflict, FieldProblem, NotFound


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


class ContractIsOver(Conflict):
    """Nothing more is handed back, paused or taken up again of a contract that is over."""

    code = "contract_is_over"

    def __init__(self, status: str) -> None:
        super().__init__(f"This contract is over ({status}); nothing of it can be handed back or paused.")


class NothingToHandBack(Conflict):
    """Fewer units are owed than are to be handed back."""

    code = "nothing_to_hand_back"

    def __init__(self, wanted: int, owed: int) -> None:
        detail = f"At some time of the window {owed} units are owed and not on offer; {wanted} cannot be handed back."
        super().__init__(detail, (FieldProblem("/quantity", f"expected at most {owed}, got {wanted}"),))


class NothingToPause(Conflict):
    """Nothing is owed in the window: it is paused, handed back or sold back already, or on offer."""

    code = "nothing_to_pause"

    def __init__(self) -> None:
        super().__init__(
            "Nothing of the lease is owed in this window: it is paused, on offer, or was handed or sold back already."
        )


class NotPausable(Conflict):
    """The contract states no credit for units that are paused."""

    code = "not_pausable"

    def __init__(self) -> None:
        super().__init__("The contract states no credit for a pause.")


class NothingPaused(Conflict):
    """No pause is left from the instant on."""

    code = "nothing_paused"

    def __init__(self) -> None:
        super().__init__("Nothing of the lease is paused at that time or later.")


class NotReturnable(Conflict):
    """The contract states no credit for what is handed back."""

    code = "not_returnable"

    def __init__(self) -> None:
        super().__init__("This contract states no return credit for that time; it can only be used.")
