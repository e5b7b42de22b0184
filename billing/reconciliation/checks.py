"""Every check of the reconciliation, by the kind of difference that it finds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from billing.reconciliation import bank, clearing, deliveries, documents, money, payouts, stripe_rows, usage
from billing.reconciliation.rules import Item, ItemKind

# One look for each kind: (now, limit) -> items, oldest first.
CHECKS: Final[Mapping[ItemKind, Callable[[datetime, int], Sequence[Item]]]] = {
    ItemKind.TOP_UP_AWAITED: money.awaited_top_ups,
    ItemKind.RECEIPT_UNMATCHED: money.unmatched_receipts,
    ItemKind.SUSPENSE_DIFFERENCE: money.suspense_differences,
    ItemKind.TOP_UP_POSTING: money.top_up_postings,
    ItemKind.POSTING_WITHOUT_SOURCE: documents.postings_without_source,
    ItemKind.WALLET_OVERDRAWN: money.overdrawn_wallets,
    ItemKind.RELEASE_OVERDUE: money.overdue_releases,
    ItemKind.PAYABLE_DIFFERENCE: money.payable_differences,
    ItemKind.CONTRACT_NOT_SETTLED: documents.contracts_not_settled,
    ItemKind.DOCUMENT_POSTING: documents.postings_unlike_documents,
    ItemKind.INVOICE_PAST_DUE: documents.invoices_past_due,
    ItemKind.USAGE_CONFLICT: usage.conflicts,
    ItemKind.USAGE_REJECTED: usage.rejections,
    ItemKind.LEASE_MISSING: deliveries.leases_missing,
    ItemKind.USAGE_MISSING: deliveries.usage_missing,
    ItemKind.USAGE_UNRATED: deliveries.usage_unrated,
    ItemKind.CHARGE_UNBILLED: deliveries.charges_unbilled,
    ItemKind.LINE_CHARGES: deliveries.lines_unlike_charges,
    ItemKind.BANK_NOT_IN_LEDGER: bank.not_in_ledger,
    ItemKind.LEDGER_NOT_IN_BANK: bank.not_in_bank,
    ItemKind.CLEARING_OVERDUE: clearing.overdue,
    ItemKind.AVAILABLE_DIFFERENCE: payouts.available_differences,
    ItemKind.PAYOUT_STUCK: payouts.stuck,
    ItemKind.STRIPE_NOT_IN_LEDGER: stripe_rows.not_in_ledger,
    ItemKind.LEDGER_NOT_AT_STRIPE: stripe_rows.not_at_stripe,
    ItemKind.STRIPE_AMOUNT: stripe_rows.amounts,
    ItemKind.STRIPE_CURRENCY: stripe_rows.currencies,
    ItemKind.STRIPE_DATE: stripe_rows.dates,
    ItemKind.STRIPE_FEE: stripe_rows.fees,
    ItemKind.STRIPE_PAYOUT_ROWS: stripe_rows.payout_rows,
}
