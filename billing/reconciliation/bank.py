"""The bank's statements against the ledger's account 1020, both ways.

The bank's side is every entry of an imported statement, money out as well, and every receipt that a clerk typed. What
is linked and equal is left out by the database; the rest of both sides is put to the matching engine, and what that
cannot pair is a difference. What a clerk noted, a receipt or a payout that the bank was seen to have paid, counts as
shown until a statement of its day is imported: from then on the statement has to show it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.ledger.chart import Code
from billing.periods.rules import BOOKS_ZONE
from billing.reconciliation import matching
from billing.reconciliation.rules import BANK_PATIENCE, Item, ItemKind

# A posting and the receipt behind it; `x` is the posting, `r` the receipt.
_RECEIPT_POSTED: Final = """(
    x.source_type = 'bank_receipt' AND x.source_id = r.id AND x.purpose = 'suspense'
    OR x.source_type = 'top_up' AND x.source_id = r.top_up_id AND x.purpose = 'confirm'
    OR x.source_type = 'stripe_payout' AND x.purpose = 'paid' AND x.source_id = r.stripe_payout_id)"""
# The days that imported statements cover, by currency.
_COVERED: Final = """
    WITH covered AS (
        SELECT currency, min(booked_on) AS first_on, max(booked_on) AS last_on FROM billing_bankentry GROUP BY currency
    )"""


@dataclass(frozen=True)
class _Side:
    """The items of one side that are not linked to the other, and when each came to be known."""

    items: dict[str, matching.Item]
    since: dict[str, datetime]
    types: dict[str, str]  # what an item's id is of


def not_in_ledger(now: datetime, limit: int) -> list[Item]:
    """Return what the bank shows and no posting accounts for."""
    bank, ledger = _bank_side(now), _ledger_side(now)
    left = matching.match(bank.items.values(), ledger.items.values())
    return [
        Item(
            ItemKind.BANK_NOT_IN_LEDGER,
            bank.since[item.id],
            f"The bank shows {item.reference}, and the ledger does not. {matching.guess(item, left.right_over)}",
            bank.types[item.id],
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
            ledger.types[item.id],
            UUID(item.id),
            amount_minor=item.amount_minor,
            currency=item.currency,
        )
        for item in left.right_over[:limit]
    ]


def _bank_side(until: datetime) -> _Side:
    """Return what the bank shows and is not linked to a posting of its amount."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT r.id, r.currency, r.amount_minor, r.value_date, r.bank_reference, r.recorded_at, 'bank_receipt'
            FROM billing_bankreceipt r
            WHERE r.recorded_at <= %(until)s AND NOT EXISTS (
                SELECT 1 FROM billing_ledgertransaction x JOIN billing_ledgerentry e ON e.transaction_id = x.id
                JOIN billing_account a ON a.id = e.account_id
                WHERE a.code = %(bank)s AND e.amount_minor = r.amount_minor AND e.currency = r.currency
                  AND {_RECEIPT_POSTED}
            )
            UNION ALL
            SELECT b.id, b.currency, b.amount_minor, b.value_date, b.bank_reference, s.imported_at, 'bank_entry'
            FROM billing_bankentry b JOIN billing_bankstatement s ON s.id = b.statement_id
            WHERE b.receipt_id IS NULL AND s.imported_at <= %(until)s AND NOT EXISTS (
                SELECT 1 FROM billing_payout p WHERE p.bank_reference = b.bank_reference AND p.method = 'bank'
                    AND p.status = 'paid' AND p.amount_minor = -b.amount_minor AND p.currency = b.currency
            )
            """,  # noqa: S608 (no input of anybody's)
            {"until": until, "bank": Code.BANK},
        )
        return _side(cursor.fetchall())


def _ledger_side(until: datetime) -> _Side:
    """Return postings on 1020 that nothing of their amount at the bank is linked to."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{_COVERED}
            SELECT x.id, e.currency, e.amount_minor, (x.effective_at AT TIME ZONE %(zone)s)::date,
                   coalesce(nullif(p.bank_reference, ''), x.memo), x.effective_at, 'ledger_transaction'
            FROM billing_ledgerentry e
            JOIN billing_account a ON a.id = e.account_id
            JOIN billing_ledgertransaction x ON x.id = e.transaction_id
            LEFT JOIN covered c ON c.currency = e.currency
            LEFT JOIN billing_payout p ON x.source_type = 'payout' AND x.purpose = 'paid' AND p.id = x.source_id
            WHERE a.code = %(bank)s AND x.effective_at <= %(until)s
              AND NOT EXISTS (
                SELECT 1 FROM billing_bankreceipt r LEFT JOIN billing_bankentry b ON b.receipt_id = r.id
                WHERE r.amount_minor = e.amount_minor AND r.currency = e.currency AND {_RECEIPT_POSTED}
                  AND (b.id IS NOT NULL OR (r.value_date BETWEEN c.first_on AND c.last_on) IS NOT TRUE)
              ) AND NOT EXISTS (
                SELECT 1 FROM billing_bankentry b
                WHERE b.bank_reference = p.bank_reference AND b.amount_minor = e.amount_minor
                  AND b.currency = e.currency
              ) AND (p.id IS NULL
                  OR (x.effective_at AT TIME ZONE %(zone)s)::date BETWEEN c.first_on AND c.last_on)
              -- What brought a receipt out of suspense again because its payout is known stands beside that payout.
              AND NOT (x.source_type = 'bank_receipt' AND x.purpose = 'stripe_payout')
              AND NOT (x.source_type = 'bank_receipt' AND x.purpose = 'suspense' AND EXISTS (
                SELECT 1 FROM billing_bankreceipt r WHERE r.id = x.source_id AND r.stripe_payout_id IS NOT NULL))
              -- An entry by hand that settled a difference of this kind is its explanation, not another one.
              AND NOT (x.source_type = 'journal' AND EXISTS (
                SELECT 1 FROM billing_manualjournal j JOIN billing_break k ON k.id = j.subject_id
                WHERE j.id = x.source_id AND j.subject_type = 'break'
                  AND k.kind IN ('bank_not_in_ledger', 'ledger_not_in_bank')))
            """,  # noqa: S608 (no input of anybody's)
            {"until": until, "bank": Code.BANK, "zone": str(BOOKS_ZONE)},
        )
        return _side(cursor.fetchall())


def _side(rows: list[tuple[Any, ...]]) -> _Side:
    items = {
        str(row_id): matching.Item(str(row_id), currency, amount, on, reference)
        for row_id, currency, amount, on, reference, _, _ in rows
    }
    return _Side(items, {str(row[0]): row[5] for row in rows}, {str(row[0]): row[6] for row in rows})
