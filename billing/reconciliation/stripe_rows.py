"""The rows of our Stripe balance against the ledger's accounts 1000 and 1010, both ways.

Both sides name the object at Stripe that moved the money (a charge, a refund, a dispute, a transfer, a payout); what a
row's fee and availability move between the two accounts is no part of it. What has its one equal on the other side is
left out by the database, the rest is put to the matching engine, and what that cannot pair is sorted by what differs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.gateway.rules import OwnPayoutStatus
from billing.ledger.chart import Code
from billing.periods.rules import BOOKS_ZONE
from billing.reconciliation import matching
from billing.reconciliation.matching import Bounds
from billing.reconciliation.rules import WORK_PATIENCE, Item, ItemKind

DAYS_APART: Final = 3  # what is posted later than that after Stripe moved it counts at another time in the books
_SIDES: Final = """
    WITH shown AS (
        SELECT b.id, coalesce(t.transfer_stripe_id, b.source_id) AS reference, b.currency, b.amount_minor,
               b.created_at AS at
        FROM billing_balancetransaction b
        LEFT JOIN billing_transferreversal v ON v.stripe_id = b.source_id AND b.source_id <> ''
        LEFT JOIN billing_connecttransfer t ON t.id = v.transfer_id
        LEFT JOIN billing_stripepayout s ON s.stripe_id = b.source_id
        -- A payout to our bank is posted when it is paid; one that never was has two rows and no posting.
        WHERE b.created_at <= %(until)s AND b.amount_minor <> 0 AND (s.id IS NULL OR s.transaction_id IS NOT NULL)
    ), posted AS (
        SELECT x.id, coalesce(p.charge_id, f.stripe_id, d.stripe_id, t.transfer_stripe_id, s.stripe_id, r.source_id, '')
                   AS reference,
               e.currency, sum(e.amount_minor) AS amount_minor, coalesce(r.created_at, x.effective_at) AS at
        FROM billing_ledgertransaction x
        JOIN billing_ledgerentry e ON e.transaction_id = x.id
        JOIN billing_account a ON a.id = e.account_id AND a.code IN (%(pending)s, %(available)s)
        JOIN billing_ledgertransaction o ON o.id = coalesce(x.reversal_of_id, x.id)
        LEFT JOIN billing_cardpayment p ON o.source_type = 'card_payment' AND p.id = o.source_id
        LEFT JOIN billing_cardrefund f ON o.source_type = 'card_refund' AND f.id = o.source_id
        LEFT JOIN billing_carddispute d ON o.source_type = 'card_dispute' AND d.id = o.source_id
        LEFT JOIN billing_connecttransfer t ON o.source_type = 'payout' AND t.payout_id = o.source_id
        LEFT JOIN billing_stripepayout s ON o.source_type = 'stripe_payout' AND s.id = o.source_id
        -- An entry by hand that settled a break is the other side of the row that the break was about.
        LEFT JOIN billing_manualjournal j ON o.source_type = 'journal' AND j.id = o.source_id
        LEFT JOIN billing_break k ON j.subject_type = 'break' AND k.id = j.subject_id
        LEFT JOIN billing_balancetransaction r ON k.subject_type = 'balance_transaction' AND r.id = k.subject_id
        WHERE x.effective_at <= %(until)s AND o.source_type <> 'balance_transaction'
          -- What settled a posting without a row, or a fee, is no row's other side.
          AND coalesce(k.kind, '') NOT IN ('ledger_not_at_stripe', 'stripe_fee')
        GROUP BY 1, 2, 3, 5 HAVING sum(e.amount_minor) <> 0
    ), keys AS (
        SELECT reference, currency, amount_minor FROM (
            SELECT 1 AS side, reference, currency, amount_minor, at FROM shown
            UNION ALL SELECT 2, reference, currency, amount_minor, at FROM posted
        ) AS both_sides
        WHERE reference <> '' GROUP BY 1, 2, 3
        HAVING count(*) FILTER (WHERE side = 1) = 1 AND count(*) FILTER (WHERE side = 2) = 1
           AND max(at) - min(at) < make_interval(days => %(days)s)
    )
    SELECT side, id, currency, amount_minor, (at AT TIME ZONE %(zone)s)::date, reference, at FROM (
        SELECT 1 AS side, * FROM shown UNION ALL SELECT 2, * FROM posted
    ) AS both_sides
    WHERE NOT EXISTS (
        SELECT 1 FROM keys k WHERE k.reference = both_sides.reference AND k.currency = both_sides.currency
            AND k.amount_minor = both_sides.amount_minor
    )
    ORDER BY at, id
"""


@dataclass(frozen=True)
class Difference:
    """A row of Stripe's, or a posting where there is no row, and what its other side has under the same reference."""

    kind: ItemKind
    item: matching.Item
    since: datetime
    others: Sequence[matching.Item]

    def shown(self) -> Item:
        """Return it as the workbench shows it."""
        at_stripe = self.kind is not ItemKind.LEDGER_NOT_AT_STRIPE
        amount = self.item.amount_minor
        if self.kind is ItemKind.STRIPE_AMOUNT:
            amount -= sum(other.amount_minor for other in self.others)
        return Item(
            self.kind,
            self.since,
            _CAUSES[self.kind].format(
                reference=self.item.reference or "no object", others=len(self.others), days=DAYS_APART
            ),
            "balance_transaction" if at_stripe else "ledger_transaction",
            UUID(self.item.id),
            amount_minor=amount,
            currency=self.item.currency,
        )


_CAUSES: Final[Mapping[ItemKind, str]] = {
    ItemKind.STRIPE_NOT_IN_LEDGER: "Stripe moved this for {reference}, and nothing was posted: a fee of Stripe's own,"
    " or something that was done there by hand.",
    ItemKind.LEDGER_NOT_AT_STRIPE: "Posted on an account of Stripe for {reference}, and Stripe moved nothing.",
    ItemKind.STRIPE_AMOUNT: "Stripe moved another amount for {reference} than was posted.",
    ItemKind.STRIPE_CURRENCY: "Stripe moved another currency for {reference} than was posted: it was converted.",
    ItemKind.STRIPE_DATE: "Posted more than {days} days away from the day on which Stripe moved {reference}.",
}


def not_in_ledger(now: datetime, limit: int) -> list[Item]:
    """Return rows of Stripe's that nothing was posted for within an hour."""
    return _found(ItemKind.STRIPE_NOT_IN_LEDGER, now, limit)


def not_at_stripe(now: datetime, limit: int) -> list[Item]:
    """Return postings on Stripe's accounts that Stripe has no row for within an hour."""
    return _found(ItemKind.LEDGER_NOT_AT_STRIPE, now, limit)


def amounts(now: datetime, limit: int) -> list[Item]:
    """Return rows whose object was posted with another amount; the amount of the item is what the books lack."""
    return _found(ItemKind.STRIPE_AMOUNT, now, limit)


def currencies(now: datetime, limit: int) -> list[Item]:
    """Return rows whose object was posted in another currency."""
    return _found(ItemKind.STRIPE_CURRENCY, now, limit)


def dates(now: datetime, limit: int) -> list[Item]:
    """Return rows whose object was posted days before or after."""
    return _found(ItemKind.STRIPE_DATE, now, limit)


def fees(now: datetime, limit: int) -> list[Item]:
    """Return rows whose fee was posted with another amount, or not; the amount of the item is what the books lack."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.id, b.stripe_id, b.created_at, b.currency, b.fee_minor - coalesce(p.minor, 0)
            FROM billing_balancetransaction b
            LEFT JOIN (
                SELECT CASE x.source_type WHEN 'journal' THEN k.subject_id ELSE x.source_id END AS row_id, e.currency,
                       sum(e.amount_minor) AS minor
                FROM billing_ledgertransaction x JOIN billing_ledgerentry e ON e.transaction_id = x.id
                JOIN billing_account a ON a.id = e.account_id AND a.code = %s
                LEFT JOIN billing_manualjournal j ON x.source_type = 'journal' AND j.id = x.source_id
                LEFT JOIN billing_break k ON j.subject_type = 'break' AND k.id = j.subject_id
                    AND k.kind = 'stripe_fee'
                WHERE x.source_type IN ('balance_transaction', 'journal') GROUP BY 1, 2
            ) p ON p.row_id = b.id AND p.currency = b.currency
            WHERE b.fee_minor <> coalesce(p.minor, 0) ORDER BY b.created_at, b.id LIMIT %s
            """,
            [Code.PROCESSING_FEES, limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.STRIPE_FEE,
            created_at,
            f"The fee of {stripe_id} was posted with another amount than Stripe took.",
            "balance_transaction",
            row_id,
            amount_minor=int(difference),
            currency=currency,
        )
        for row_id, stripe_id, created_at, currency, difference in rows
    ]


def payout_rows(now: datetime, limit: int) -> list[Item]:
    """Return automatic payouts to our bank that are not the sum of the rows that Stripe says they took."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id, s.stripe_id, s.created_at, s.currency, s.amount_minor - coalesce(sum(b.net_minor), 0)
            FROM billing_stripepayout s
            LEFT JOIN billing_balancetransaction b ON b.payout_id = s.stripe_id AND b.source_id <> s.stripe_id
            WHERE s.is_automatic AND s.status = %s AND s.created_at <= %s
            GROUP BY s.id HAVING s.amount_minor <> coalesce(sum(b.net_minor), 0) ORDER BY s.created_at, s.id LIMIT %s
            """,
            [OwnPayoutStatus.PAID, now - WORK_PATIENCE, limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.STRIPE_PAYOUT_ROWS,
            created_at,
            f"{stripe_id} is not the sum of the rows that it took: some are not pulled yet, or belong to none.",
            "stripe_payout",
            payout_id,
            amount_minor=int(difference),
            currency=currency,
        )
        for payout_id, stripe_id, created_at, currency, difference in rows
    ]


def _found(kind: ItemKind, now: datetime, limit: int) -> list[Item]:
    return [one.shown() for one in differences(now) if one.kind is kind][:limit]


def differences(now: datetime) -> list[Difference]:
    """Return what has no equal on the other side, sorted by what differs: a row of Stripe's comes before a posting."""
    shown, posted, since = _unpaired(now)
    left = matching.match(shown, posted, Bounds(window_days=DAYS_APART))
    others: dict[str, list[matching.Item]] = defaultdict(list)
    for item in left.right_over:
        others[item.reference].append(item)
    named = {item.reference for item in left.left_over if item.reference}
    rows = [(item, others[item.reference] if item.reference else []) for item in left.left_over]
    found = [Difference(_kind(item, theirs), item, since[1, item.id], theirs) for item, theirs in rows]
    return found + [
        Difference(ItemKind.LEDGER_NOT_AT_STRIPE, item, since[2, item.id], ())
        for item in left.right_over
        if item.reference not in named
    ]


def _kind(item: matching.Item, others: Sequence[matching.Item]) -> ItemKind:
    if not others:
        return ItemKind.STRIPE_NOT_IN_LEDGER
    same = [other for other in others if other.currency == item.currency]
    if not same:
        return ItemKind.STRIPE_CURRENCY
    if any(other.amount_minor == item.amount_minor for other in same):
        return ItemKind.STRIPE_DATE
    return ItemKind.STRIPE_AMOUNT


def _unpaired(now: datetime) -> tuple[list[matching.Item], list[matching.Item], dict[tuple[int, str], datetime]]:
    """Return the rows of Stripe, the postings, and since when each is, without those that have their one equal."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SIDES,
            {
                "until": now - WORK_PATIENCE,
                "pending": Code.STRIPE_CLEARING,
                "available": Code.STRIPE_AVAILABLE,
                "days": DAYS_APART,
                "zone": str(BOOKS_ZONE),
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    sides: dict[int, list[matching.Item]] = {1: [], 2: []}
    since: dict[tuple[int, str], datetime] = {}
    for side, row_id, currency, amount, on, reference, at in rows:
        key = str(row_id)
        sides[side].append(matching.Item(key, currency, int(amount), on, reference))
        since[side, key] = at
    return sides[1], sides[2], since
