"""What wallets decline."""

from accounts.foundation.errors import Conflict, Forbidden, NotFound, Unprocessable
from catalog.measures.money import Money


class NoSuchProject(NotFound):
    """No project of the actor's organisation."""

    code = "project_not_found"


class BudgetBelowCommitted(Unprocessable):
    """A budget cannot be less than what is held and invoiced already."""

    code = "budget_below_committed"

    def __init__(self, *, wanted: Money, committed: Money) -> None:
        super().__init__(f"{wanted} was asked for and {committed} is held and invoiced already; set that or more.")


class ChangeWaits(Conflict):
    """There is a proposal that nobody has decided on yet."""

    code = "credit_change_waits"

    def __init__(self) -> None:
        super().__init__("A change of this credit limit waits for a decision already.")


class ChangeDecided(Conflict):
    """The proposal has been decided on."""

    code = "credit_change_decided"

    def __init__(self, status: str) -> None:
        super().__init__(f"This change of a credit limit is {status} already.")


class OwnChange(Forbidden):
    """Whoever proposes a credit limit does not approve it."""

    code = "own_credit_change"

    def __init__(self) -> None:
        super().__init__("The person who proposed a credit limit cannot decide on it; a colleague must.")


class CreditInUse(Conflict):
    """The wallet uses more credit than the new limit would give."""

    code = "credit_in_use"

    def __init__(self, *, wanted: Money, used: Money) -> None:
        super().__init__(
            f"{wanted} was proposed and {used} of credit is in use; the customer must pay that back first."
        )


class NoSuchChange(NotFound):
    """There is no such proposal."""

    code = "credit_change_not_found"


class NoSuchOrganisation(NotFound):
    """There is no such organisation."""

    code = "organisation_not_found"
