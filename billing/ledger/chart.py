"""The chart of accounts: which codes exist, what they mean and who owns an account of that code."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class AccountKind(StrEnum):
    """The five kinds of account; assets and expenses grow by debits, the others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Owner(StrEnum):
    """Whether a code has one account for the exchange, or one for each organisation."""

    EXCHANGE = "exchange"
    ORGANISATION = "organisation"


class Code(StrEnum):
    """Account codes, by what they stand for."""

    STRIPE_CLEARING = "1000"
    STRIPE_AVAILABLE = "1010"
    BANK = "1020"
    RECEIVABLE = "1100"
    INPUT_VAT = "1210"
    WALLET = "2000"
    PAYABLE_PENDING = "2100"
    PAYABLE_AVAILABLE = "2110"
    PROVIDER_RESERVE = "2120"
    PAYOUTS_IN_TRANSIT = "2190"
    OUTPUT_VAT = "2200"
    VOUCHERS = "2300"
    FEE_INCOME = "4000"
    CAPACITY_REVENUE = "4010"
    SLA_CREDITS = "4900"
    PROCESSING_FEES = "5000"
    COST_OF_CAPACITY = "5010"
    SLA_CLAWBACK = "5020"
    PROMOTION = "5100"
    BAD_DEBT = "5200"
    SUSPENSE = "9000"


@dataclass(frozen=True)
class ChartAccount:
    """One line of the chart. A `sharded` code is kept in SHARDS rows, for every order in the house touches it."""

    name: str
    kind: AccountKind
    owner: Owner = Owner.EXCHANGE
    sharded: bool = False


# One hot balance row halves the throughput of the whole ledger (measured); sixteen do not.
SHARDS: Final = 16

CHART: Final[dict[Code, ChartAccount]] = {
    Code.STRIPE_CLEARING: ChartAccount("Stripe clearing, pending", AccountKind.ASSET),
    Code.STRIPE_AVAILABLE: ChartAccount("Stripe available", AccountKind.ASSET),
    Code.BANK: ChartAccount("Bank", AccountKind.ASSET),
    Code.RECEIVABLE: ChartAccount("Accounts receivable", AccountKind.ASSET, Owner.ORGANISATION),
    Code.INPUT_VAT: ChartAccount("Input VAT", AccountKind.ASSET, sharded=True),
    Code.WALLET: ChartAccount("Customer wallets", AccountKind.LIABILITY, Owner.ORGANISATION),
    Code.PAYABLE_PENDING: ChartAccount("Provider payable, pending", AccountKind.LIABILITY, Owner.ORGANISATION),
    Code.PAYABLE_AVAILABLE: ChartAccount("Provider payable, available", AccountKind.LIABILITY, Owner.ORGANISATION),
    Code.PROVIDER_RESERVE: ChartAccount("Provider reserve", AccountKind.LIABILITY, Owner.ORGANISATION),
    Code.PAYOUTS_IN_TRANSIT: ChartAccount("Payouts in transit", AccountKind.LIABILITY),
    Code.OUTPUT_VAT: ChartAccount("Output VAT payable", AccountKind.LIABILITY, sharded=True),
    Code.VOUCHERS: ChartAccount("Vouchers outstanding", AccountKind.LIABILITY),
    Code.FEE_INCOME: ChartAccount("Platform fee income", AccountKind.INCOME, sharded=True),
    Code.CAPACITY_REVENUE: ChartAccount("Capacity and metered revenue", AccountKind.INCOME, sharded=True),
    Code.SLA_CREDITS: ChartAccount("SLA credits given", AccountKind.INCOME, sharded=True),
    Code.PROCESSING_FEES: ChartAccount("Payment processing fees", AccountKind.EXPENSE),
    Code.COST_OF_CAPACITY: ChartAccount("Cost of capacity", AccountKind.EXPENSE, sharded=True),
    Code.SLA_CLAWBACK: ChartAccount("SLA clawback", AccountKind.EXPENSE, sharded=True),
    Code.PROMOTION: ChartAccount("Promotion and vouchers", AccountKind.EXPENSE),
    Code.BAD_DEBT: ChartAccount("Bad debt and chargeback loss", AccountKind.EXPENSE),
    Code.SUSPENSE: ChartAccount("Suspense", AccountKind.LIABILITY),
}

ORGANISATION_CODES: Final = frozenset(code for code, line in CHART.items() if line.owner is Owner.ORGANISATION)
EXCHANGE_CODES: Final = frozenset(CHART) - ORGANISATION_CODES
