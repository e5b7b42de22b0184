"""Checks of top-ups, bank receipts, wallets and what is owed to providers."""

from datetime import datetime

from django.db import connection

from billing.ledger.chart import Code
from billing.ledger.models import Account
from billing.payments import rules as payments
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import ReceiptStatus, TopUpStatus
from billing.payouts.models import StatementRelease
from billing.reconciliation.rules import TOP_UP_PATIENCE, WORK_PATIENCE, Item, ItemKind
from catalog.measures.money import Money


def awaited_top_ups(now: datetime, limit: int) -> list[Item]:
    """Return announced transfers that have not come for longer than a bank needs."""
    late = TopUp.objects.filter(status=TopUpStatus.AWAITING, created_at__lte=now - TOP_UP_PATIENCE)
    return [
        Item(
            ItemKind.TOP_UP_AWAITED,
            row.created_at,
            f"Nothing has come with the reference {row.reference}: not sent, sent without it, or not entered yet.",
            "top_up",
            row.id,
            row.organisation_id,
            row.organisation.name,
            row.amount_minor,
            row.currency,
        )
        for row in late.select_related("organisation").order_by("created_at")[:limit]
    ]


def unmatched_receipts(now: datetime, limit: int) -> list[Item]:
    """Return money at the bank of which nobody knows whose it is, with what speaks for whom."""
    rows = list(BankReceipt.objects.filter(status=ReceiptStatus.UNMATCHED).order_by("recorded_at")[:limit])
    quoted = {row.id: payments.references_in(row.remittance) for row in rows}
    top_ups = TopUp.objects.select_related("organisation").in_bulk(
        [reference for references in quoted.values() for reference in references], field_name="reference"
    )
    items = []
    for row in rows:
        known = [top_ups[reference] for reference in quoted[row.id] if reference in top_ups]
        items.append(
            Item(
                ItemKind.RECEIPT_UNMATCHED,
                row.recorded_at,
                _why_unmatched(row, quoted[row.id], known),
                "bank_receipt",
                row.id,
                known[0].organisation_id if known else None,
                known[0].organisation.name if known else "",
                row.amount_minor,
                row.currency,
            )
        )
    return items


def _why_unmatched(receipt: BankReceipt, quoted: list[str], known: list[TopUp]) -> str:
    if not quoted:
        return f"{receipt.payer} quoted no reference."
    if not known:
        return f"{quoted[0]} is the reference of no top-up here."
    top_up = known[0]
    if top_up.status != TopUpStatus.AWAITING:
        return f"{top_up.reference} is {top_up.status} already: paid twice, or too late."
    announced, received = Money(top_up.amount_minor, top_up.currency), Money(receipt.amount_minor, receipt.currency)
    if announced != received:
        return f"{top_up.reference} announced {announced}, and {received} came."
    return f"{top_up.reference} fits and waits to be matched by a colleague."


def suspense_differences(now: datetime, limit: int) -> list[Item]:
    """Return currencies in which the suspense account is not the sum of the unmatched receipts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT currency, sum(amount) FROM (
                SELECT currency, balance_minor AS amount FROM billing_account WHERE code = %s
                UNION ALL SELECT currency, amount_minor FROM billing_bankreceipt WHERE status = %s
            ) AS both_sides GROUP BY currency HAVING sum(amount) <> 0 ORDER BY currency LIMIT %s
            """,
            [Code.SUSPENSE, ReceiptStatus.UNMATCHED, limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.SUSPENSE_DIFFERENCE,
            None,
            "The suspense account is not what the unmatched receipts add up to: something was posted there by hand.",
            amount_minor=int(difference),
            currency=currency,
        )
        for currency, difference in rows
    ]


def top_up_postings(now: datetime, limit: int) -> list[Item]:
    """Return top-ups whose wallet was not credited (less what was returned) with exactly their amount."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, t.confirmed_at, t.organisation_id, o.name, t.currency,
                   CASE t.status WHEN 'confirmed' THEN t.amount_minor ELSE 0 END + coalesce(sum(e.amount_minor), 0)
            FROM billing_topup t
            JOIN accounts_organisation o ON o.id = t.organisation_id
            LEFT JOIN billing_ledgertransaction x ON x.source_type = 'top_up' AND x.source_id = t.id
            LEFT JOIN billing_account a
                ON a.code = %s AND a.organisation_id = t.organisation_id AND a.currency = t.currency
            LEFT JOIN billing_ledgerentry e ON e.transaction_id = x.id AND e.account_id = a.id
            GROUP BY t.id, o.name
            HAVING CASE t.status WHEN 'confirmed' THEN t.amount_minor ELSE 0 END + coalesce(sum(e.amount_minor), 0) <> 0
            ORDER BY t.id LIMIT %s
            """,
            [Code.WALLET, limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.TOP_UP_POSTING,
            since,
            "The wallet was credited with another amount than the top-up's.",
            "top_up",
            top_up_id,
            organisation_id,
            name,
            int(difference),
            currency,
        )
        for top_up_id, since, organisation_id, name, currency, difference in rows
    ]


def overdrawn_wallets(now: datetime, limit: int) -> list[Item]:
    """Return wallets that an invoice took below zero."""
    rows = Account.objects.filter(code=Code.WALLET, overdraft_minor__gt=0).select_related(
        "organisation", "overdraft_by"
    )
    return [
        Item(
            ItemKind.WALLET_OVERDRAWN,
            row.overdraft_by.posted_at if row.overdraft_by else None,
            "Extras of an invoice exceeded what was available; new orders wait for a top-up.",
            "wallet",
            row.id,
            row.organisation_id,
            row.organisation.name if row.organisation else "",
            row.overdraft_minor,
            row.currency,
        )
        for row in rows.order_by("overdraft_by__posted_at", "id")[:limit]
    ]


def overdue_releases(now: datetime, limit: int) -> list[Item]:
    """Return amounts whose dispute window is over and that are still pending."""
    late = StatementRelease.objects.filter(released_at__isnull=True, due_at__lte=now - WORK_PATIENCE)
    return [
        Item(
            ItemKind.RELEASE_OVERDUE,
            row.due_at,
            "The dispute window is over and nothing has released the amount: is beat running?",
            "statement",
            row.statement_id,
            row.organisation_id,
            row.organisation.name,
            row.amount_minor,
            row.currency,
        )
        for row in late.select_related("organisation").order_by("due_at")[:limit]
    ]


def payable_differences(now: datetime, limit: int) -> list[Item]:
    """Return providers whose pending payable is not the sum of their statements that wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.organisation_id, o.name, s.currency, sum(s.amount) FROM (
                SELECT organisation_id, currency, balance_minor AS amount FROM billing_account WHERE code = %s
                UNION ALL
                SELECT organisation_id, currency, amount_minor FROM billing_statementrelease WHERE released_at IS NULL
            ) AS s JOIN accounts_organisation o ON o.id = s.organisation_id
            GROUP BY s.organisation_id, o.name, s.currency HAVING sum(s.amount) <> 0
            ORDER BY o.name, s.organisation_id LIMIT %s
            """,
            [Code.PAYABLE_PENDING, limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.PAYABLE_DIFFERENCE,
            None,
            "The pending payable is not what the waiting statements add up to.",
            organisation_id=organisation_id,
            organisation_name=name,
            amount_minor=int(difference),
            currency=currency,
        )
        for organisation_id, name, currency, difference in rows
    ]
