"""The bank's statement against the ledger's account 1020, both ways.

What is linked and equal is left out by the database; the rest of both sides is put to the matching engine, and what
that cannot pair is a difference.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from billing.ledger.chart import Code
from billing.periods.rules import BOOKS_ZONE
from billing.reconciliation import matching
from billing.reconciliation.rules import BANK_PATIENCE, Item, ItemKind


@dataclass(frozen=True)
class _Side:
    """The items of one side that are not linked to the other, and when each came to be known."""

    items: dict[str, matching.Item]
    since: dict[str, datetime]


def not_in_ledger(now: datetime, limit: int) -> list[Item]:
    """Return lines of the bank's statement that no posting accounts for."""
    bank, ledger = _bank_side(now), _ledger_side(now)
    left = matching.match(bank.items.values(), ledger.items.values())
    return [
        Item(
            ItemKind.BANK_NOT_IN_LEDGER,
            bank.since[item.id],
            f"The bank shows {item.reference}, and the ledger does not. {matching.guess(item, left.right_over)}",
            "bank_receipt",
            UUID(item.id),
            amount_minor=item.amount_minor,
            currency=item.currency,
        )
        for item in left.left_over[:limit]
    ]


def not_in_bank(now: datetime, limit: int) -> list[Item]:
    """Return postings on the bank's account that the bank has not shown for longer than a transfer takes."""
    bank, ledger = _bank_side(now), _ledger_side(now - BANK_PATIENCE)
    left = matching.match(bank.items.values(), ledger.items.values())
    return [
        Item(
            ItemKind.LEDGER_NOT_IN_BANK,
            ledger.since[item.id],
            f"The ledger has this at the bank, and its statement does not. {matching.guess(item, left.left_over)}",
            "ledger_transaction",
            UUID(item.id),
            amount_minor=item.amount_minor,
            currency=item.currency,
        )
        for item in left.right_over[:limit]
    ]


def _bank_side(until: datetime) -> _Side:
    """Return receipts without a posting of their amount."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, r.currency, r.amount_minor, r.value_date, r.bank_reference, r.recorded_at
            FROM billing_bankreceipt r
            WHERE r.recorded_at <= %s AND NOT EXISTS (
                SELECT 1 FROM billing_ledgertransaction x JOIN billing_ledgerentry e ON e.transaction_id = x.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE a.code = %s AND e.amount_minor = r.amount_minor AND e.currency = r.currency
                  AND (x.source_type = 'bank_receipt' AND x.source_id = r.id
                       OR x.source_type = 'top_up' AND x.source_id = r.top_up_id AND x.purpose = 'confirm')
            )
            """,
            [until, Code.BANK],
        )
        return _side(cursor.fetchall())


def _ledger_side(until: datetime) -> _Side:
    """Return postings on 1020 that no receipt of their amount is linked to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT x.id, e.currency, e.amount_minor, (x.effective_at AT TIME ZONE %s)::date, x.memo, x.effective_at
            FROM billing_ledgerentry e
            JOIN billing_account a ON a.id = e.account_id
            JOIN billing_ledgertransaction x ON x.id = e.transaction_id
            WHERE a.code = %s AND x.effective_at <= %s
              -- A payout is noted as paid with the bank's own reference, as a clerk saw it there.
              AND NOT (x.source_type = 'payout' AND x.purpose = 'paid') AND NOT EXISTS (
                SELECT 1 FROM billing_bankreceipt r
                WHERE r.amount_minor = e.amount_minor AND r.currency = e.currency
                  AND (x.source_type = 'bank_receipt' AND x.source_id = r.id
                       OR x.source_type = 'top_up' AND x.source_id = r.top_up_id AND x.purpose = 'confirm')
            )
            """,
            [str(BOOKS_ZONE), Code.BANK, until],
        )
        return _side(cursor.fetchall())


def _side(rows: list[tuple[Any, ...]]) -> _Side:
    items = {
        str(row_id): matching.Item(str(row_id), currency, amount, on, reference)
        for row_id, currency, amount, on, reference, _ in rows
    }
    return _Side(items, {str(row[0]): row[5] for row in rows})
