"""Addresses of the money under /v1/."""

from django.urls import path

from billing.bank import api as bank
from billing.bounds import api as bounds
from billing.cards import api as cards
from billing.connect import api as connect
from billing.contracts import api as contracts
from billing.dashboard import api as dashboard
from billing.documents import api as documents
from billing.exports import api as exports
from billing.exports.tables import Format
from billing.fapiao import api as fapiao
from billing.gateway import api as gateway
from billing.invoices import api as invoices
from billing.journals import api as journals
from billing.landings import api as landings
from billing.ledger import api as ledger
from billing.payments import api as payments
from billing.payouts import api as payouts
from billing.periods import api as periods
from billing.policies import api as policies
from billing.pricing import api as pricing
from billing.reconciliation import api as reconciliation
from billing.usage import api as usage
from billing.wallets import api as wallets
from billing.webhooks import api as webhooks

urlpatterns = [
    path("wallet", ledger.Wallet.as_view(), name="api_wallet"),
    path("wallet-landings", landings.WalletLandings.as_view(), name="api_wallet_landings"),
    path("holds", ledger.Holds.as_view(), name="api_holds"),
    path("finance-figures", dashboard.FinanceFigures.as_view(), name="api_finance_figures"),
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
    path("bank-receipts/<rcp:receipt_id>/split", payments.SplitBankReceipt.as_view(), name="api_split_receipt"),
    path("bank-receipts/<rcp:receipt_id>/return", payments.ReturnBankReceipt.as_view(), name="api_return_receipt"),
    path("bank-statements", bank.BankStatements.as_view(), name="api_bank_statements"),
    path("bank-statements/<bst:statement_id>/entries", bank.BankEntries.as_view(), name="api_bank_entries"),
    path("card-payments", cards.CardPayments.as_view(), name="api_card_payments"),
    path("card-payments/<pay:payment_id>", cards.OneCardPayment.as_view(), name="api_card_payment"),
    path("card-payments/<pay:payment_id>/refunds", cards.RefundsOfPayment.as_view(), name="api_refund_payment"),
    path("card-refunds", cards.Refunds.as_view(), name="api_card_refunds"),
    path("card-refunds/<rfd:refund_id>/approve", cards.ApproveRefund.as_view(), name="api_approve_refund"),
    path("card-refunds/<rfd:refund_id>/decline", cards.DeclineRefund.as_view(), name="api_decline_refund"),
    path("card-methods", cards.CardMethods.as_view(), name="api_card_methods"),
    path("card-methods/<pmt:method_id>/remove", cards.RemoveMethod.as_view(), name="api_remove_card_method"),
    path("card-method-setups", cards.MethodSetups.as_view(), name="api_card_method_setups"),
    path("card-method-setups/<mst:setup_id>", cards.OneMethodSetup.as_view(), name="api_card_method_setup"),
    path("autopay", cards.Autopay.as_view(), name="api_autopay"),
    path("invoices/<inv:invoice_id>/collect", cards.CollectInvoice.as_view(), name="api_collect_invoice"),
    path("stripe-account", connect.StripeAccount.as_view(), name="api_stripe_account"),
    path("stripe-transfers", connect.StripeTransfers.as_view(), name="api_stripe_transfers"),
    path(
        "stripe-transfers/<ctf:transfer_id>/reversals", connect.ReverseTransfer.as_view(), name="api_reverse_transfer"
    ),
    path("stripe-events", webhooks.StripeEvents.as_view(), name="api_stripe_events"),
    path(
        "stripe-events/<sev:event_id>/set-aside",
        webhooks.SetStripeEventAside.as_view(),
        name="api_set_stripe_event_aside",
    ),
    path("stripe-balance", gateway.BalanceTransactions.as_view(), name="api_stripe_balance"),
    path("budgets", wallets.Budgets.as_view(), name="api_budgets"),
    path("projects/<prj:project_id>/budget", wallets.BudgetOfProject.as_view(), name="api_budget_of_project"),
    path("wallet/thresholds", wallets.Thresholds.as_view(), name="api_wallet_thresholds"),
    path("credit-limits", wallets.CreditChanges.as_view(), name="api_credit_limits"),
    path("credit-limits/<clc:change_id>/approve", wallets.ApproveCredit.as_view(), name="api_approve_credit"),
    path("credit-limits/<clc:change_id>/decline", wallets.DeclineCredit.as_view(), name="api_decline_credit"),
    path("payable", payouts.Payables.as_view(), name="api_payable"),
    path("payouts", payouts.Payouts.as_view(), name="api_payouts"),
    path("payouts/<pyt:payout_id>", payouts.OnePayout.as_view(), name="api_payout"),
    path("payouts/<pyt:payout_id>/due", payouts.MakePayoutDue.as_view(), name="api_make_payout_due"),
    path("payouts/<pyt:payout_id>/approve", payouts.ApprovePayout.as_view(), name="api_approve_payout"),
    path("payouts/<pyt:payout_id>/send", payouts.SendPayout.as_view(), name="api_send_payout"),
    path("payouts/<pyt:payout_id>/confirm", payouts.ConfirmPayoutPaid.as_view(), name="api_confirm_payout"),
    path("payouts/<pyt:payout_id>/fail", payouts.FailPayoutSent.as_view(), name="api_fail_payout"),
    path("transfer-files", payouts.TransferFiles.as_view(), name="api_transfer_files"),
    path("payout-destination", payouts.Destination.as_view(), name="api_payout_destination"),
    path("customer-classes", pricing.CustomerClasses.as_view(), name="api_customer_classes"),
    path("price-adjustments", pricing.PriceAdjustments.as_view(), name="api_price_adjustments"),
    path("coefficients", pricing.Coefficients.as_view(), name="api_coefficients"),
    path("vouchers", pricing.Vouchers.as_view(), name="api_vouchers"),
    path("voucher-imports", pricing.VoucherImports.as_view(), name="api_voucher_imports"),
    path("tax-rates", policies.TaxRates.as_view(), name="api_tax_rates"),
    path("policies", policies.Policies.as_view(), name="api_policies"),
    path("policy-changes", policies.PolicyChanges.as_view(), name="api_policy_changes"),
    path("policy-changes/<pch:change_id>/approve", policies.ApproveChange.as_view(), name="api_approve_policy"),
    path("policy-changes/<pch:change_id>/decline", policies.DeclineChange.as_view(), name="api_decline_policy"),
    path("contracts", contracts.Contracts.as_view(), name="api_contracts"),
    path("contracts/<ctr:contract_id>", contracts.OneContract.as_view(), name="api_contract"),
    path("contracts/<ctr:contract_id>/invoice", invoices.InvoiceOfContract.as_view(), name="api_invoice_contract"),
    path("usage-events", usage.UsageEvents.as_view(), name="api_usage_events"),
    path("invoices", invoices.Invoices.as_view(), name="api_invoices"),
    path("invoices/<inv:invoice_id>", invoices.OneInvoice.as_view(), name="api_invoice"),
    path("invoices/<inv:invoice_id>/lines", invoices.InvoiceLines.as_view(), name="api_invoice_lines"),
    path("invoices/<inv:invoice_id>/credit-notes", invoices.CreditInvoiceView.as_view(), name="api_credit_invoice"),
    path("invoices/<inv:invoice_id>/dispute", invoices.DisputeInvoiceView.as_view(), name="api_dispute_invoice"),
    path(
        "invoices/<inv:invoice_id>/resolve-dispute", invoices.ResolveDisputeView.as_view(), name="api_resolve_dispute"
    ),
    path("invoices/<inv:invoice_id>/write-off", invoices.AskWriteOffView.as_view(), name="api_ask_write_off"),
    path(
        "invoices/<inv:invoice_id>/approve-write-off",
        invoices.ApproveWriteOffView.as_view(),
        name="api_approve_write_off",
    ),
    path("fapiao-titles", fapiao.Titles.as_view(), name="api_fapiao_titles"),
    path("fapiao-titles/<ftl:title_id>/end", fapiao.EndTitle.as_view(), name="api_end_fapiao_title"),
    path("fapiao", fapiao.AllFapiao.as_view(), name="api_all_fapiao"),
    path("fapiao/<fap:fapiao_id>", fapiao.OneFapiao.as_view(), name="api_fapiao"),
    path("fapiao/<fap:fapiao_id>/begin", fapiao.BeginFapiao.as_view(), name="api_begin_fapiao"),
    path("fapiao/<fap:fapiao_id>/record", fapiao.RecordOne.as_view(), name="api_record_fapiao"),
    path("fapiao/<fap:fapiao_id>/refuse", fapiao.RefuseOne.as_view(), name="api_refuse_fapiao"),
    path("fapiao/<fap:fapiao_id>/red-letters", fapiao.RedLetters.as_view(), name="api_red_letters"),
    path("fapiao-records", fapiao.FapiaoRecords.as_view(), name="api_fapiao_records"),
    path("outstanding-fapiao", fapiao.OutstandingFapiao.as_view(), name="api_outstanding_fapiao"),
    path("statements", invoices.Statements.as_view(), name="api_statements"),
    path("statements/<stm:statement_id>", invoices.OneStatement.as_view(), name="api_statement"),
    path("statements/<stm:statement_id>/lines", invoices.StatementLines.as_view(), name="api_statement_lines"),
    path("top-ups/<top:top_up_id>/pro-forma.pdf", documents.ProForma.as_view(), name="api_pro_forma_pdf"),
    path("top-ups/<top:top_up_id>/pro-forma.html", documents.ProForma.as_view(as_pdf=False), name="api_pro_forma_html"),
    path("invoices/<inv:document_id>/document.pdf", documents.InvoicePrint.as_view(), name="api_invoice_pdf"),
    path(
        "invoices/<inv:document_id>/document.html",
        documents.InvoicePrint.as_view(as_pdf=False),
        name="api_invoice_html",
    ),
    path("invoices/<inv:document_id>/document.xml", documents.InvoiceXml.as_view(), name="api_invoice_xml"),
    path("statements/<stm:document_id>/document.pdf", documents.StatementPrint.as_view(), name="api_statement_pdf"),
    path(
        "statements/<stm:document_id>/document.html",
        documents.StatementPrint.as_view(as_pdf=False),
        name="api_statement_html",
    ),
    path("statements/<stm:document_id>/document.xml", documents.StatementXml.as_view(), name="api_statement_xml"),
    path("unmatched-items", reconciliation.UnmatchedItems.as_view(), name="api_unmatched_items"),
    path("reconciliation-runs", reconciliation.Runs.as_view(), name="api_reconciliation_runs"),
    path("breaks", reconciliation.Breaks.as_view(), name="api_breaks"),
    path("breaks/<brk:break_id>", reconciliation.OneBreak.as_view(), name="api_break"),
    path("breaks/<brk:break_id>/reports", reconciliation.BreakReports.as_view(), name="api_break_reports"),
    path("breaks/<brk:break_id>/comments", reconciliation.CommentOnBreak.as_view(), name="api_comment_on_break"),
    path("breaks/<brk:break_id>/assign", reconciliation.AssignBreak.as_view(), name="api_assign_break"),
    path("breaks/<brk:break_id>/explain", reconciliation.ExplainBreak.as_view(), name="api_explain_break"),
    path("breaks/<brk:break_id>/settle", reconciliation.SettleBreak.as_view(), name="api_settle_break"),
    path("breaks/<brk:break_id>/approve", reconciliation.ApproveSettlement.as_view(), name="api_approve_settlement"),
    path("breaks/<brk:break_id>/decline", reconciliation.DeclineSettlement.as_view(), name="api_decline_settlement"),
    path("clearing-accounts", reconciliation.ClearingAccounts.as_view(), name="api_clearing_accounts"),
    path("bill-bounds", bounds.BillBounds.as_view(), name="api_bill_bounds"),
    path("parked-accounts", bounds.ParkedAccounts.as_view(), name="api_parked_accounts"),
    path("parked-accounts/<prk:parking_id>", bounds.OneParkedAccount.as_view(), name="api_parked_account"),
    path("parked-accounts/<prk:parking_id>/release", bounds.ReleaseParkedAccount.as_view(), name="api_release_account"),
    path("journals", journals.Journals.as_view(), name="api_journals"),
    path("journals/<jrn:journal_id>", journals.OneJournal.as_view(), name="api_journal"),
    path("journals/<jrn:journal_id>/approve", journals.ApproveJournal.as_view(), name="api_approve_journal"),
    path("journals/<jrn:journal_id>/decline", journals.DeclineJournal.as_view(), name="api_decline_journal"),
    path("periods", periods.Periods.as_view(), name="api_periods"),
    path("periods/<code:month>/checklist", reconciliation.Checklist.as_view(), name="api_checklist"),
    path("periods/<code:month>/close", reconciliation.ClosePeriod.as_view(), name="api_close_period"),
    path("periods/<code:month>/reopenings", periods.AskToReopen.as_view(), name="api_ask_to_reopen"),
    path("period-reopenings", periods.Reopenings.as_view(), name="api_reopenings"),
    path("period-reopenings/<rop:reopening_id>/approve", periods.ApproveReopening.as_view(), name="api_reopen"),
    path("period-reopenings/<rop:reopening_id>/decline", periods.DeclineReopening.as_view(), name="api_keep_closed"),
]

# Every list of finance as a file: /v1/exports/invoices.csv and .xlsx, and so on.
urlpatterns += [
    path(
        f"exports/{view.title}.{file_format}",
        view.as_view(file_format=file_format),
        name=f"api_export_{view.title.replace('-', '_')}_{file_format}",
    )
    for view in exports.FILES
    for file_format in Format
]
urlpatterns.append(path("exports/focus.csv", exports.FocusFile.as_view(), name="api_export_focus"))
