"""Checks of what is free to be paid to providers, and of payouts on their way."""

from datetime import datetime

from django.db import connection

from billing.ledger.chart import Code
from billing.payouts.models import Payout
from billing.payouts.rules import PayoutStatus
from billing.reconciliation.rules import BANK_PATIENCE, Item, ItemKind


def available_differences(now: datetime, limit: int) -> list[Item]:
    """Return providers whose available payable is not the sum of what their unsent payouts list."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.organisation_id, o.name, s.currency, sum(s.amount) FROM (
                SELECT organisation_id, currency, balance_minor AS amount FROM billing_account WHERE code = %s
                UNION ALL
                SELECT p.organisation_id, p.currency, i.amount_minor
                FROM billing_payout p JOIN billing_payoutitem i ON i.payout_id = p.id AND i.given_on_at IS NULL
                WHERE p.status IN (%s, %s, %s)
            ) AS s JOIN accounts_organisation o ON o.id = s.organisation_id
            GROUP BY s.organisation_id, o.name, s.currency HAVING sum(s.amount) <> 0
            ORDER BY o.name, s.organisation_id LIMIT %s
            """,
            [Code.PAYABLE_AVAILABLE, PayoutStatus.ACCRUING, PayoutStatus.DUE, PayoutStatus.APPROVED, limit],
        )
        rows = cursor.fetchall()
    return [
        Item(
            ItemKind.AVAILABLE_DIFFERENCE,
            None,
            "What is free to be paid is not what the payouts to come add up to: something was posted by hand.",
            organisation_id=organisation_id,
            organisation_name=name,
            amount_minor=int(difference),
            currency=currency,
        )
        for organisation_id, name, currency, difference in rows
    ]


def stuck(now: datetime, limit: int) -> list[Item]:
    """Return payouts that have been in transit for longer than a bank needs."""
    late = Payout.objects.filter(status=PayoutStatus.IN_TRANSIT, sent_at__lte=now - BANK_PATIENCE)
    return [
        Item(
            ItemKind.PAYOUT_STUCK,
            row.sent_at,
            "Sent, and neither confirmed nor failed: look for it on the bank's statement.",
            "payout",
            row.id,
            row.organisation_id,
            row.organisation.name,
            row.amount_minor,
            row.currency,
        )
        for row in late.select_related("organisation").order_by("sent_at")[:limit]
    ]
