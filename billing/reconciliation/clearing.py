"""Accounts that must come back to zero, and since when each has not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from billing.ledger.chart import CHART, Code
from billing.reconciliation.rules import Item, ItemKind


@dataclass(frozen=True)
class ClearingLine:
    """What stands on a clearing account in a currency: debit positive, in minor units, open since its oldest part."""

    code: Code
    name: str
    currency: str
    balance_minor: int
    since: datetime | None
    age_days: int
    allowed_days: int

    @property
    def is_overdue(self) -> bool:
        """Whether something stands there for longer than it may."""
        return self.balance_minor != 0 and self.age_days >= self.allowed_days


def clearing_lines(now: datetime) -> list[ClearingLine]:
    """Return every clearing account that has been used, by code and currency.

    What came last is what stands there: the balance is made up of the latest movements in its direction, and its age
    is that of the oldest of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                SELECT c.code, c.days, e.currency, e.amount_minor, x.effective_at, e.id,
                    sum(e.amount_minor) OVER (PARTITION BY c.code, e.currency) AS balance
                FROM billing_clearingaccount c
                JOIN billing_account a ON a.code = c.code
                JOIN billing_ledgerentry e ON e.account_id = a.id
                JOIN billing_ledgertransaction x ON x.id = e.transaction_id
                WHERE x.effective_at <= %s
            ), latest AS (
                SELECT *, sum(abs(amount_minor)) OVER (
                    PARTITION BY code, currency, sign(amount_minor) ORDER BY effective_at DESC, id DESC
                ) - abs(amount_minor) AS later
                FROM moved
            )
            SELECT code, days, currency, balance, min(effective_at) FILTER (
                WHERE sign(amount_minor) = sign(balance) AND later < abs(balance)
            )
            FROM latest GROUP BY code, days, currency, balance ORDER BY code, currency
            """,
            [now],
        )
        rows = cursor.fetchall()
    return [
        ClearingLine(
            code=Code(code),
            name=CHART[Code(code)].name,
            currency=currency,
            balance_minor=int(balance),
            since=since,
            age_days=0 if since is None else (now - since) // timedelta(days=1),
            allowed_days=days,
        )
        for code, days, currency, balance, since in rows
    ]


def overdue(now: datetime, limit: int) -> list[Item]:
    """Return clearing accounts on which something has stood for longer than it may."""
    return [
        Item(
            ItemKind.CLEARING_OVERDUE,
            line.since,
            f"{line.code} {line.name} should be back at zero within {line.allowed_days} days.",
            f"account_{line.code}",
            amount_minor=line.balance_minor,
            currency=line.currency,
        )
        for line in clearing_lines(now)
        if line.is_overdue
    ][:limit]
