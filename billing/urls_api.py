"""Addresses of the money under /v1/."""

from django.urls import path

from billing.ledger import api as ledger
from billing.payments import api as payments
from billing.payouts import api as payouts
from billing.reconciliation import api as reconciliation

urlpatterns = [
    path("wallet", ledger.Wallet.as_view(), name="api_wallet"),
    path("holds", ledger.Holds.as_view(), name="api_holds"),
    path("ledger-entries", ledger.LedgerEntries.as_view(), name="api_ledger_entries"),
    path("trial-balance", ledger.TrialBalance.as_view(), name="api_trial_balance"),
    path("payment-methods", payments.PaymentMethods.as_view(), name="api_payment_methods"),
    path("top-ups", payments.TopUps.as_view(), name="api_top_ups"),
    path("top-ups/<top:top_up_id>", payments.OneTopUp.as_view(), name="api_top_up"),
    path("top-ups/<top:top_up_id>/confirm", payments.ConfirmTopUp.as_view(), name="api_confirm_top_up"),
    path("top-ups/<top:top_up_id>/cancel", payments.CancelTopUp.as_view(), name="api_cancel_top_up"),
    path("top-ups/<top:top_up_id>/return", payments.ReturnTopUp.as_view(), name="api_return_top_up"),
    path("bank-receipts", payments.BankReceipts.as_view(), name="api_bank_receipts"),
    path("bank-receipts/<rcp:receipt_id>/match", payments.MatchBankReceipt.as_view(), name="api_match_receipt"),
    path("payable", payouts.Payables.as_view(), name="api_payable"),
    path("unmatched-items", reconciliation.UnmatchedItems.as_view(), name="api_unmatched_items"),
]
