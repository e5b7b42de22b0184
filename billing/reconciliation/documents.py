"""Checks of contracts against their documents, and of documents against the ledger, both ways."""

from datetime import datetime

from django.db import connection

from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Side, outstanding
from billing.ledger.chart import Code
from billing.reconciliation.rules import WORK_PATIENCE, Item, ItemKind


def contracts_not_settled(now: datetime, limit: int) -> list[Item]:
    """Return contracts that are over and do not have all their documents yet."""
    late = Contract.objects.filter(
        status__in=[ContractStatus.ENDED, ContractStatus.TERMINATED], ended_at__lte=now - WORK_PATIENCE
    )
    return [
        Item(
            ItemKind.CONTRACT_NOT_SETTLED,
            row.ended_at,
            "The contract is over and its invoice or statement is missing: look for a parked job.",
            "contract",
            row.id,
            row.buyer_id,
            row.buyer.name,
            row.held_minor,
            row.currency,
        )
        for row in late.select_related("buyer").order_by("ended_at")[:limit]
    ]


def postings_unlike_documents(now: datetime, limit: int) -> list[Item]:
    """Return invoices and statements whose party was not charged or credited with exactly their total."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id, i.side, i.issued_at, i.organisation_id, o.name, i.currency, i.total_minor, p.posted
            FROM billing_invoice i
            JOIN accounts_organisation o ON o.id = i.organisation_id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(CASE WHEN i.side = %(provider)s THEN -e.amount_minor ELSE e.amount_minor END), 0)
                       AS posted
                FROM billing_ledgertransaction x
                JOIN billing_ledgerentry e ON e.transaction_id = x.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE x.source_type = CASE WHEN i.side = %(provider)s THEN 'statement' ELSE 'invoice' END
                  AND x.source_id = i.id AND x.purpose = 'issue' AND a.organisation_id = i.organisation_id
                  AND a.code IN (%(wallet)s, %(receivable)s, %(payable)s)
            ) AS p
            WHERE i.status <> %(draft)s AND i.total_minor <> p.posted
            ORDER BY i.issued_at LIMIT %(limit)s
            """,
            {
                "provider": Side.PROVIDER,
                "draft": InvoiceStatus.DRAFT,
                "wallet": Code.WALLET,
                "receivable": Code.RECEIVABLE,
                "payable": Code.PAYABLE_PENDING,
                "limit": limit,
            },
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.DOCUMENT_POSTING,
            issued_at,
            "The ledger shows another amount for this document than its total.",
            "statement" if side == Side.PROVIDER else "invoice",
            document_id,
            organisation_id,
            name,
            int(total - posted),
            currency,
        )
        for document_id, side, issued_at, organisation_id, name, currency, total, posted in rows
    ]


def postings_without_source(now: datetime, limit: int) -> list[Item]:
    """Return ledger transactions whose business source is of no known type, or not there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT x.id, x.source_type, x.purpose, x.posted_at, sum(e.amount_minor), e.currency
            FROM billing_ledgertransaction x
            JOIN billing_ledgerentry e ON e.transaction_id = x.id AND e.amount_minor > 0
            WHERE NOT CASE x.source_type
                WHEN 'top_up' THEN EXISTS (SELECT 1 FROM billing_topup WHERE id = x.source_id)
                WHEN 'bank_receipt' THEN EXISTS (SELECT 1 FROM billing_bankreceipt WHERE id = x.source_id)
                WHEN 'balance_transaction' THEN
                    EXISTS (SELECT 1 FROM billing_balancetransaction WHERE id = x.source_id)
                WHEN 'card_payment' THEN EXISTS (SELECT 1 FROM billing_cardpayment WHERE id = x.source_id)
                WHEN 'card_refund' THEN EXISTS (SELECT 1 FROM billing_cardrefund WHERE id = x.source_id)
                WHEN 'card_dispute' THEN EXISTS (SELECT 1 FROM billing_carddispute WHERE id = x.source_id)
                WHEN 'stripe_payout' THEN EXISTS (SELECT 1 FROM billing_stripepayout WHERE id = x.source_id)
                WHEN 'voucher' THEN EXISTS (SELECT 1 FROM billing_voucher WHERE id = x.source_id)
                WHEN 'invoice' THEN EXISTS (SELECT 1 FROM billing_invoice WHERE id = x.source_id)
                WHEN 'statement' THEN EXISTS (SELECT 1 FROM billing_invoice WHERE id = x.source_id)
                WHEN 'journal' THEN EXISTS (SELECT 1 FROM billing_manualjournal WHERE id = x.source_id)
                WHEN 'payout' THEN EXISTS (SELECT 1 FROM billing_payout WHERE id = x.source_id)
                WHEN 'ledger_transaction' THEN x.reversal_of_id = x.source_id
                ELSE false END
            GROUP BY x.id, e.currency ORDER BY x.posted_at, x.id LIMIT %s
            """,
            [limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.POSTING_WITHOUT_SOURCE,
            posted_at,
            f"Posted for a {source_type.replace('_', ' ')} ({purpose}) that does not exist.",
            "ledger_transaction",
            transaction_id,
            amount_minor=int(amount),
            currency=currency,
        )
        for transaction_id, source_type, purpose, posted_at, amount, currency in rows
    ]


def invoices_past_due(now: datetime, limit: int) -> list[Item]:
    """Return invoices on credit whose day of payment has passed."""
    late = Invoice.objects.filter(
        kind=InvoiceKind.CUSTOMER, status__in=[InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE], due_at__lte=now
    )
    return [
        Item(
            ItemKind.INVOICE_PAST_DUE,
            row.due_at,
            "The invoice should have been paid by now.",
            "invoice",
            row.id,
            row.organisation_id,
            row.organisation.name,
            outstanding(row),
            row.currency,
        )
        for row in late.select_related("organisation").order_by("due_at")[:limit]
    ]
