"""Pages of billing."""

from django.urls import path

from billing.ledger import pages as ledger
from billing.payments import pages as payments
from billing.reconciliation import pages as reconciliation

urlpatterns = [
    path("wallet", payments.wallet, name="wallet"),
    path("wallet/top-ups", payments.top_up_request, name="top_up_request"),
    path("finance/top-ups", payments.top_ups_to_confirm, name="top_ups_to_confirm"),
    path("finance/top-ups/<top:top_up_id>", payments.top_up_confirm, name="top_up_confirm"),
    path("finance/trial-balance", ledger.trial_balance, name="trial_balance"),
    path("finance/unmatched", reconciliation.unmatched_items, name="unmatched_items"),
]
