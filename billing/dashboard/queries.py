"""The figures of the dashboard, each beside what the ledger says of the same, so that a difference shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Sum

from accounts.actors.actor import Actor, Capability
from billing.invoices import queries as invoices
from billing.invoices.rules import Side
from billing.ledger.chart import CHART, Code
from billing.ledger.models import Account
from billing.payouts.models import PayoutItem, StatementRelease
from billing.payouts.rules import ItemPart, PayoutStatus
from billing.periods.rules import BOOKS_ZONE, month_of, spelled
from billing.rating.charges import ChargeKind
from billing.reconciliation.models import Break
from billing.reconciliation.rules import BreakStatus
from catalog.measures.money import exponent

MONTHS: Final = 12

CASH: Final = (Code.BANK, Code.STRIPE_AVAILABLE, Code.STRIPE_CLEARING)
TO_BUYERS: Final = (Code.WALLET, Code.VOUCHERS, Code.SUSPENSE)
TO_PROVIDERS: Final = (
    Code.PAYABLE_PENDING,
    Code.PAYABLE_AVAILABLE,
    Code.PROVIDER_RESERVE,
    Code.PAYOUTS_IN_TRANSIT,
)
_MARGIN: Final = (
    Code.FEE_INCOME,
    Code.CAPACITY_REVENUE,
    Code.SLA_CREDITS,
    Code.COST_OF_CAPACITY,
    Code.SLA_CLAWBACK,
)
# What costs the buyer its price; time that was not delivered does not.
_BILLABLE: Final = (ChargeKind.DELIVERED, ChargeKind.METERED, ChargeKind.TARIFF, ChargeKind.MINIMUM)
_UNSENT: Final = (PayoutStatus.ACCRUING, PayoutStatus.DUE, PayoutStatus.APPROVED)

Bounds = tuple[tuple[str, int | None], ...]  # name, and the last whole day of age that belongs to it
_PAST_DUE: Final[Bounds] = (
    ("not due", -1), ("up to 30 days late", 30), ("31 to 60", 60), ("61 to 90", 90), ("older", None),
)  # fmt: skip
_SINCE: Final[Bounds] = (("up to 7 days", 7), ("8 to 30", 30), ("31 to 90", 90), ("older", None))


@dataclass(frozen=True)
class Amount:
    """A named amount in minor units, from the side on which it is positive, and how many things it is made of."""

    name: str
    amount_minor: int
    count: int | None = None


@dataclass(frozen=True)
class Block:
    """Amounts that belong together, their sum, and the same from the ledger where the ledger has it."""

    amounts: tuple[Amount, ...]
    ledger_minor: int | None = None

    @property
    def total_minor(self) -> int:
        """The sum of the amounts."""
        return sum(amount.amount_minor for amount in self.amounts)

    @property
    def difference_minor(self) -> int:
        """What the ledger says more; zero, or something is broken."""
        return 0 if self.ledger_minor is None else self.ledger_minor - self.total_minor


@dataclass(frozen=True)
class Figures:
    """Finance at an instant, in one currency."""

    at: datetime
    currency: str
    cash: Block
    to_buyers: Block
    to_providers: Block
    fees: Block
    margin: Block
    receivables: Block
    payables: Block
    breaks: Block
    unbilled: Block


def figures(actor: Actor, currency: str, *, now: datetime) -> Figures:
    """Return the figures of a currency, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    balances = _balances(currency)
    by_month = _income_by_month(currency, now)
    return Figures(
        at=now,
        currency=currency,
        cash=_accounts(CASH, balances),
        to_buyers=_accounts(TO_BUYERS, balances, negated=True),
        to_providers=_accounts(TO_PROVIDERS, balances, negated=True),
        fees=Block(tuple(Amount(month, fee) for month, (fee, _) in by_month.items())),
        margin=Block(tuple(Amount(month, margin) for month, (_, margin) in by_month.items())),
        receivables=Block(_receivables(actor, currency, now), balances.get(Code.RECEIVABLE, 0)),
        payables=Block(
            _payables(currency, now),
            -sum(balances.get(code, 0) for code in TO_PROVIDERS if code is not Code.PAYOUTS_IN_TRANSIT),
        ),
        breaks=Block(_breaks(currency, now)),
        unbilled=Block(_unbilled(currency)),
    )


def _balances(currency: str) -> dict[Code, int]:
    rows = Account.objects.filter(currency=currency).values_list("code").annotate(total=Sum("balance_minor"))
    return {Code(code): int(total) for code, total in rows.order_by("code")}


def _accounts(codes: Iterable[Code], balances: Mapping[Code, int], *, negated: bool = False) -> Block:
    sign = -1 if negated else 1
    return Block(tuple(Amount(CHART[code].name, sign * balances.get(code, 0)) for code in codes))


def _income_by_month(currency: str, now: datetime) -> dict[str, tuple[int, int]]:
    """Return (fee income, margin) of the last months, with those that had none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_trunc('month', x.effective_at AT TIME ZONE %s)::date,
                   -coalesce(sum(e.amount_minor) FILTER (WHERE a.code = %s), 0), -sum(e.amount_minor)
            FROM billing_account a
            JOIN billing_ledgerentry e ON e.account_id = a.id
            JOIN billing_ledgertransaction x ON x.id = e.transaction_id
            WHERE a.currency = %s AND a.code = ANY (%s) AND x.effective_at <= %s
            GROUP BY 1
            """,
            [str(BOOKS_ZONE), Code.FEE_INCOME, currency, [code.value for code in _MARGIN], now],
        )
        found = {month: (int(fee), int(margin)) for month, fee, margin in cursor.fetchall()}
    months = _months_until(month_of(now))
    return {spelled(month): found.get(month, (0, 0)) for month in months}


def _months_until(last: date) -> list[date]:
    months = [last]
    while len(months) < MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def _receivables(actor: Actor, currency: str, now: datetime) -> tuple[Amount, ...]:
    """Return what invoices on credit still ask for, by how late it is."""
    open_ = invoices.outstanding(actor).filter(currency=currency)
    rows = open_.values_list("due_at", "total_minor", "paid_minor", "credited_minor", "written_off_minor")
    ages = [
        (_days(now - due_at), total - paid - credited - lost)
        for due_at, total, paid, credited, lost in rows
        if due_at is not None
    ]
    return _by_age(ages, _PAST_DUE)


def _payables(currency: str, now: datetime) -> tuple[Amount, ...]:
    """Return what is owed to providers: in the dispute window, kept back, and free to be paid by its age."""
    releases = StatementRelease.objects.filter(currency=currency)
    waiting = releases.filter(released_at__isnull=True).aggregate(total=Sum("amount_minor"))["total"] or 0
    kept = releases.filter(reserve_released_at__isnull=True).aggregate(total=Sum("reserve_minor"))["total"] or 0
    items = PayoutItem.objects.filter(payout__currency=currency, payout__status__in=_UNSENT, given_on_at__isnull=True)
    rows = items.values_list("part", "amount_minor", "release__released_at", "release__reserve_released_at")
    # An item exists from when its part was set free.
    ages = [
        (_days(now - freed_at), amount)
        for part, amount, released_at, reserve_at in rows
        if (freed_at := reserve_at if part == ItemPart.RESERVE else released_at) is not None
    ]
    free = tuple(Amount(f"free for {row.name}", row.amount_minor, row.count) for row in _by_age(ages, _SINCE))
    return (Amount("in the dispute window", waiting), Amount("kept back", kept), *free)


def _breaks(currency: str, now: datetime) -> tuple[Amount, ...]:
    rows = Break.objects.filter(status=BreakStatus.OPEN, currency__in=[currency, ""]).values_list(
        "since", "amount_minor"
    )
    return _by_age([(_days(now - since), abs(amount or 0)) for since, amount in rows], _SINCE)


def _unbilled(currency: str) -> tuple[Amount, ...]:
    """Return what charges on no invoice are worth at their prices, by the month in which they ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_trunc('month', h.ends_at AT TIME ZONE %s)::date, count(*),
                   round(sum(h.raw_quantity / h.raw_per_unit * h.price_micros / h.base_quantity)
                         * power(10, %s)::numeric / 1000000)
            FROM billing_charge h JOIN billing_contract c ON c.id = h.contract_id
            WHERE c.currency = %s AND h.kind = ANY (%s) AND NOT EXISTS (
                SELECT 1 FROM billing_billedcharge b WHERE b.charge_id = h.id AND b.side = %s
            ) GROUP BY 1 ORDER BY 1
            """,
            [str(BOOKS_ZONE), exponent(currency), currency, list(_BILLABLE), Side.CUSTOMER],
        )
        return tuple(Amount(spelled(month), int(amount), count) for month, count, amount in cursor.fetchall())


def _by_age(ages: Iterable[tuple[int, int]], bounds: Bounds) -> tuple[Amount, ...]:
    """Sum amounts by their age in whole days; the ages ahead of their day are negative."""
    sums, counts = [0] * len(bounds), [0] * len(bounds)
    for age, amount in ages:
        place = next(n for n, (_, end) in enumerate(bounds) if end is None or age <= end)
        sums[place] += amount
        counts[place] += 1
    return tuple(Amount(name, sums[n], counts[n]) for n, (name, _) in enumerate(bounds))


def _days(age: timedelta) -> int:
    return age // timedelta(days=1)
