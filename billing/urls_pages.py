"""Pages of billing."""

from django.urls import path

from billing.bank import pages as bank
from billing.bounds import pages as bounds
from billing.cards import pages as cards
from billing.connect import pages as connect
from billing.dashboard import pages as dashboard
from billing.fapiao import desk as fapiao_desk
from billing.fapiao import pages as fapiao
from billing.invoices import pages as invoices
from billing.journals import pages as journals
from billing.ledger import pages as ledger
from billing.payments import pages as payments
from billing.payouts import pages as payouts
from billing.policies import pages as policies
from billing.pricing import pages as pricing
from billing.reconciliation import closing_pages as closing
from billing.reconciliation import pages as reconciliation
from billing.usage import pages as usage
from billing.wallets import pages as wallets
from billing.webhooks import pages as webhooks

urlpatterns = [
    path("wallet", payments.wallet, name="wallet"),
    path("wallet/top-ups", payments.top_up_request, name="top_up_request"),
    path("wallet/limits", wallets.limits, name="limits"),
    path("wallet/budgets", wallets.budget_set, name="budget_set"),
    path("wallet/thresholds", wallets.threshold_add, name="threshold_add"),
    path("wallet/thresholds/clear", wallets.thresholds_clear, name="thresholds_clear"),
    path("finance/credit", wallets.credit, name="credit"),
    path("finance/credit/<clc:change_id>", wallets.credit_decide, name="credit_decide"),
    path("wallet/cards", cards.cards, name="card_methods"),
    path("wallet/cards/pay", cards.card_top_up, name="card_top_up"),
    path("wallet/cards/save", cards.card_save, name="card_save"),
    path("wallet/cards/<pmt:method_id>/invoices", cards.card_choose, name="card_choose"),
    path("wallet/cards/<pmt:method_id>/forget", cards.card_remove, name="card_remove"),
    path("invoices/<inv:invoice_id>/collect", cards.invoice_collect, name="invoice_collect"),
    path("sell/stripe", connect.stripe_account, name="stripe_account"),
    path("sell/stripe/continue", connect.stripe_account_continue, name="stripe_account_continue"),
    path("finance/bank-statements", bank.bank_statements, name="bank_statements"),
    path("finance/bank-statements/<bst:statement_id>", bank.bank_statement, name="bank_statement"),
    path("finance/stripe-messages", webhooks.messages_of_stripe, name="stripe_messages"),
    path("finance/stripe-messages/<sev:event_id>/set-aside", webhooks.set_aside, name="stripe_message_set_aside"),
    path("finance/card-payments", cards.card_payments, name="card_payments"),
    path("finance/card-payments/<pay:payment_id>", cards.card_payment, name="card_payment"),
    path("finance/refunds/<rfd:refund_id>", cards.refund_approve, name="refund_approve"),
    path("hooks/stripe", webhooks.receive, name="stripe_webhook"),
    path("usage", usage.usage, name="usage"),
    path("invoices", invoices.invoices, name="invoices"),
    path("invoices/<inv:invoice_id>", invoices.invoice, name="invoice"),
    path("invoices/<inv:invoice_id>/<slug:code>", invoices.invoice_act, name="invoice_act"),
    path("contracts/<ctr:contract_id>/invoice", invoices.invoice_now, name="invoice_now"),
    path("fapiao", fapiao.my_fapiao, name="my_fapiao"),
    path("fapiao/titles", fapiao.title_enter, name="fapiao_title_enter"),
    path("fapiao/titles/<ftl:title_id>/end", fapiao.title_end, name="fapiao_title_end"),
    path("fapiao/<fap:fapiao_id>", fapiao.one_fapiao, name="fapiao"),
    path("finance/fapiao", fapiao_desk.fapiao_queue, name="fapiao_queue"),
    path("finance/fapiao/records", fapiao_desk.fapiao_import, name="fapiao_import"),
    path("finance/fapiao/<fap:fapiao_id>", fapiao_desk.fapiao_work, name="fapiao_work"),
    path("finance/fapiao/<fap:fapiao_id>/begin", fapiao_desk.fapiao_begin, name="fapiao_begin"),
    path("finance/fapiao/<fap:fapiao_id>/refuse", fapiao_desk.fapiao_refuse, name="fapiao_refuse"),
    path("finance/fapiao/<fap:fapiao_id>/red-letter", fapiao_desk.fapiao_red_letter, name="fapiao_red_letter"),
    path("sell/statements", invoices.statements, name="statements"),
    path("sell/statements/<stm:statement_id>", invoices.statement, name="statement"),
    path("sell/payouts", payouts.my_payouts, name="my_payouts"),
    path("sell/payouts/destination", payouts.payout_destination, name="payout_destination"),
    path("sell/payouts/<pyt:payout_id>", payouts.my_payout, name="my_payout"),
    path("finance/payouts", payouts.payouts, name="payouts"),
    path("finance/payouts/<pyt:payout_id>", payouts.payout, name="payout"),
    path("finance/payouts/<pyt:payout_id>/due", payouts.payout_due, name="payout_due"),
    path("finance/payouts/<pyt:payout_id>/approve", payouts.payout_approve, name="payout_approve"),
    path("finance/payouts/<pyt:payout_id>/send", payouts.payout_send, name="payout_send"),
    path("finance/payouts/<pyt:payout_id>/confirm", payouts.payout_confirm, name="payout_confirm"),
    path("finance/payouts/<pyt:payout_id>/fail", payouts.payout_fail, name="payout_fail"),
    path("finance/payouts/<pyt:payout_id>/fetch-back", payouts.payout_fetch_back, name="payout_fetch_back"),
    path("finance/transfer-files", payouts.transfer_file_new, name="transfer_file_new"),
    path("finance/transfer-files/<trf:file_id>", payouts.transfer_file, name="transfer_file"),
    path("finance", dashboard.dashboard, name="finance_dashboard"),
    path("finance/invoices", invoices.all_invoices, name="all_invoices"),
    path("finance/top-ups", payments.top_ups_to_confirm, name="top_ups_to_confirm"),
    path("finance/top-ups/<top:top_up_id>", payments.top_up_confirm, name="top_up_confirm"),
    path("finance/receipts/<rcp:receipt_id>", payments.receipt_match, name="receipt_match"),
    path("finance/receipts/<rcp:receipt_id>/split", payments.receipt_split, name="receipt_split"),
    path("finance/receipts/<rcp:receipt_id>/return", payments.receipt_return, name="receipt_return"),
    path("finance/trial-balance", ledger.trial_balance, name="trial_balance"),
    path("finance/unmatched", reconciliation.unmatched_items, name="unmatched_items"),
    path("finance/breaks", reconciliation.breaks, name="breaks"),
    path("finance/reconcile", reconciliation.reconcile, name="reconcile"),
    path("finance/breaks/<brk:break_id>", reconciliation.one_break, name="break"),
    path("finance/breaks/<brk:break_id>/comment", reconciliation.break_comment, name="break_comment"),
    path("finance/breaks/<brk:break_id>/assign", reconciliation.break_assign, name="break_assign"),
    path("finance/breaks/<brk:break_id>/explain", reconciliation.break_explain, name="break_explain"),
    path("finance/breaks/<brk:break_id>/settle", reconciliation.break_settle, name="break_settle"),
    path("finance/breaks/<brk:break_id>/approve", reconciliation.break_approve, name="break_approve"),
    path("finance/breaks/<brk:break_id>/decline", reconciliation.break_decline, name="break_decline"),
    path("finance/parked-accounts", bounds.parked, name="parked_accounts"),
    path("finance/parked-accounts/<prk:parking_id>/release", bounds.parked_release, name="parked_release"),
    path("finance/policies", policies.policies, name="policies"),
    path("finance/policies/<slug:code>", policies.policy, name="policy"),
    path("finance/policies/<slug:code>/rows", policies.policy_import, name="policy_import"),
    path("finance/policy-changes/<pch:change_id>", policies.policy_decide, name="policy_decide"),
    path("finance/vouchers", pricing.vouchers, name="vouchers"),
    path("finance/vouchers/import", pricing.voucher_import, name="voucher_import"),
    path("finance/customer-classes", pricing.customer_classes, name="customer_classes"),
    path("finance/price-adjustments", pricing.price_adjustments, name="price_adjustments"),
    path("finance/journals", journals.journals, name="journals"),
    path("finance/journals/<jrn:journal_id>/approve", journals.journal_approve, name="journal_approve"),
    path("finance/journals/<jrn:journal_id>/decline", journals.journal_decline, name="journal_decline"),
    path("finance/months", closing.months, name="months"),
    path("finance/months/<code:month>", closing.month_close, name="month_close"),
    path("finance/months/<code:month>/close", closing.month_close_now, name="month_close_now"),
    path("finance/months/<code:month>/reopen", closing.month_reopen, name="month_reopen"),
    path("finance/reopenings/<rop:reopening_id>", closing.month_reopening_decide, name="month_reopening_decide"),
]
