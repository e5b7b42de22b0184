"""The models of the rooms, where Django looks for them."""

from billing.contracts.models import Contract as Contract
from billing.contracts.models import ContractSlot as ContractSlot
from billing.contracts.models import FeeSchedule as FeeSchedule
from billing.contracts.models import TaxRate as TaxRate
from billing.invoices.models import BilledCharge as BilledCharge
from billing.invoices.models import Invoice as Invoice
from billing.invoices.models import InvoiceCounter as InvoiceCounter
from billing.invoices.models import InvoiceLine as InvoiceLine
from billing.invoices.models import InvoiceTax as InvoiceTax
from billing.ledger.models import Account as Account
from billing.ledger.models import Hold as Hold
from billing.ledger.models import HoldEvent as HoldEvent
from billing.ledger.models import LedgerEntry as LedgerEntry
from billing.ledger.models import LedgerTransaction as LedgerTransaction
from billing.payments.models import BankReceipt as BankReceipt
from billing.payments.models import TopUp as TopUp
from billing.payouts.models import StatementRelease as StatementRelease
from billing.rating.models import Charge as Charge
from billing.usage.models import AllocationSegment as AllocationSegment
from billing.usage.models import MeteringPoint as MeteringPoint
from billing.usage.models import UsageConflict as UsageConflict
from billing.usage.models import UsageEvent as UsageEvent
from billing.usage.models import UsageRejection as UsageRejection
from billing.usage.models import UsageReversal as UsageReversal
