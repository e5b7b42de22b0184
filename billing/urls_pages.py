"""Pages of billing."""

from django.urls import path

from billing.invoices import pages as invoices
from billing.ledger import pages as ledger
from billing.payments import pages as payments
from billing.reconciliation import pages as reconciliation
from billing.usage import pages as usage

urlpatterns = [
    path("wallet", payments.wallet, name="wallet"),
    path("wallet/top-ups", payments.top_up_request, name="top_up_request"),
    path("usage", usage.usage, name="usage"),
    path("invoices", invoices.invoices, name="invoices"),
    path("invoices/<inv:invoice_id>", invoices.invoice, name="invoice"),
    path("contracts/<ctr:contract_id>/invoice", invoices.invoice_now, name="invoice_now"),
    path("sell/statements", invoices.statements, name="statements"),
    path("sell/statements/<stm:statement_id>", invoices.statement, name="statement"),
    path("finance/invoices", invoices.all_invoices, name="all_invoices"),
    path("finance/top-ups", payments.top_ups_to_confirm, name="top_ups_to_confirm"),
    path("finance/top-ups/<top:top_up_id>", payments.top_up_confirm, name="top_up_confirm"),
    path("finance/receipts/<rcp:receipt_id>", payments.receipt_match, name="receipt_match"),
    path("finance/trial-balance", ledger.trial_balance, name="trial_balance"),
    path("finance/unmatched", reconciliation.unmatched_items, name="unmatched_items"),
]
