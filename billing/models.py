"""The models of the rooms, where Django looks for them."""

from billing.ledger.models import Account as Account
from billing.ledger.models import Hold as Hold
from billing.ledger.models import HoldEvent as HoldEvent
from billing.ledger.models import LedgerEntry as LedgerEntry
from billing.ledger.models import LedgerTransaction as LedgerTransaction
from billing.payments.models import BankReceipt as BankReceipt
from billing.payments.models import TopUp as TopUp
from billing.payouts.models import StatementRelease as StatementRelease
