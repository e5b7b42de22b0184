"""All invariants of the exchange, in the order in which they are reported."""

from typing import Final

from config.audit.bills import BILLS
from config.audit.books import BOOKS
from config.audit.cards import CARDS
from config.audit.fapiao import FAPIAO
from config.audit.gateway import GATEWAY
from config.audit.invariants import check_all
from config.audit.market import MARKET
from config.audit.payouts import PAYOUTS
from config.audit.policies import POLICIES
from config.audit.quotes import QUOTES
from config.audit.resales import RESALES
from config.audit.rounds import ROUNDS
from config.audit.structure import STRUCTURE
from config.audit.wallets import WALLETS
from config.audit.workbench import WORKBENCH

ALL: Final = (
    *BOOKS,
    *GATEWAY,
    *CARDS,
    *WALLETS,
    *MARKET,
    *RESALES,
    *ROUNDS,
    *QUOTES,
    *BILLS,
    *FAPIAO,
    *PAYOUTS,
    *POLICIES,
    *WORKBENCH,
    *STRUCTURE,
)


def violated() -> list[str]:
    """Return the numbers of the invariants that do not hold."""
    return [invariant.code for invariant, finding in check_all(ALL) if finding.violations]
