"""Two people of the exchange who change its rules."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from accounts.foundation.row_results import RowResult
from accounts.foundation.tables import Row
from accounts.organisations.rules import OrganisationKind, Role
from billing.policies import services
from billing.policies.models import PolicyChange
from billing.policies.rules import KindName
from tests.accounts import cast

NOW: Final = cast.NOW + timedelta(days=300)
DAY: Final = timedelta(days=1)


class Desk:
    """A clerk who proposes, and a colleague who decides."""

    def __init__(self) -> None:
        self.house = cast.organisation("Exchange", kind=OrganisationKind.OPERATOR, can_operate=True)
        self.clerk_user = cast.member(self.house, "clerk", Role.FINANCE_OPERATOR, Role.FINANCE_APPROVER)
        self.chief_user = cast.member(self.house, "chief", Role.FINANCE_APPROVER)
        self.clerk, self.chief = cast.acting(self.clerk_user), cast.acting(self.chief_user)

    def propose(self, **changes: str) -> RowResult:
        """Propose a tax rate, thirteen percent a day from now unless said otherwise."""
        return self.propose_row(KindName.TAX_RATE, said(**changes))

    def propose_row(self, kind: KindName, cells: Mapping[str, str]) -> RowResult:
        """Propose a row of any table."""
        (result,) = services.propose(self.clerk, kind, [Row(1, cells)], reason="New law", now=NOW)
        return result

    def let_in(self, **changes: str) -> PolicyChange:
        """Propose one and let it in."""
        assert self.propose(**changes).result == "proposed"
        return services.decide(self.chief, newest().id, is_approved=True, now=NOW)


def said(**changes: str) -> dict[str, str]:
    """Return the cells of a tax rate."""
    given = {
        "jurisdiction": "CN",
        "category": "S",
        "percent": "13",
        "effective_from": (NOW + DAY).isoformat(),
        "source": "A law",
    }
    return given | changes


def newest() -> PolicyChange:
    """Return what was proposed last."""
    return PolicyChange.objects.order_by("-id")[0]
