"""Reads of the books: funds, the trial balance, statements of account, and what an actor may see."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts.actors.actor import Actor, Capability
from billing.ledger.chart import CHART, AccountKind, Code
from billing.ledger.models import Account, Hold, LedgerEntry


@dataclass(frozen=True)
class Funds:
    """A wallet from the customer's side, in minor units: what is theirs counts positive."""

    currency: str
    balance_minor: int
    held_minor: int
    credit_limit_minor: int
    overdraft_minor: int

    @property
    def available_minor(self) -> int:
        """The balance less what is held; negative after an overdraft or on credit."""
        return self.balance_minor - self.held_minor


@dataclass(frozen=True)
class TrialBalanceRow:
    """One code of the chart: the debits and credits of all its accounts, and their difference."""

    code: Code
    name: str
    kind: AccountKind
    accounts: int
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Debit positive."""
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True)
class TrialBalance:
    """Every code that has been used in a currency; in sound books debits equal credits."""

    currency: str
    rows: tuple[TrialBalanceRow, ...]

    @property
    def debit_minor(self) -> int:
        """The sum of all debits."""
        return sum(row.debit_minor for row in self.rows)

    @property
    def credit_minor(self) -> int:
        """The sum of all credits."""
        return sum(row.credit_minor for row in self.rows)

    @property
    def difference_minor(self) -> int:
        """Zero, or the books are broken."""
        return self.debit_minor - self.credit_minor


def funds(organisation_id: UUID, currency: str) -> Funds:
    """Return an organisation's funds in a currency; all zero when it has no wallet yet."""
    row = Account.objects.filter(code=Code.WALLET, organisation_id=organisation_id, currency=currency, shard=0).first()
    return Funds(currency, 0, 0, 0, 0) if row is None else _funds(row)


def wallets(organisation_id: UUID) -> list[Funds]:
    """Return an organisation's funds in every currency it has a wallet in."""
    rows = Account.objects.filter(code=Code.WALLET, organisation_id=organisation_id).order_by("currency")
    return [_funds(row) for row in rows]


def _funds(row: Account) -> Funds:
    return Funds(
        currency=row.currency,
        balance_minor=-row.balance_minor,
        held_minor=row.held_minor,
        credit_limit_minor=row.credit_limit_minor,
        overdraft_minor=row.overdraft_minor,
    )


def balance(code: Code, currency: str, organisation_id: UUID | None = None) -> int:
    """Return the balance (debit positive, minor units) of a code: of one organisation, or of all accounts."""
    rows = Account.objects.filter(code=code, currency=currency)
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    return rows.aggregate(total=Sum("balance_minor"))["total"] or 0


def trial_balance(currency: str, *, until: datetime | None = None) -> TrialBalance:
    """Return the sums of all entries by code, from the entries themselves; `until` is by effective time, excluded."""
    entries = LedgerEntry.objects.filter(currency=currency)
    if until is not None:
        entries = entries.filter(transaction__effective_at__lt=until)
    sums = entries.values("account__code").annotate(
        # The rows of a sharded code are one account.
        owners=Count("account__organisation", distinct=True),
        debit=Sum("amount_minor", filter=Q(amount_minor__gt=0), default=0),
        credit=Sum("amount_minor", filter=Q(amount_minor__lt=0), default=0),
    )
    return TrialBalance(
        currency,
        tuple(
            TrialBalanceRow(
                code=(code := Code(row["account__code"])),
                name=CHART[code].name,
                kind=CHART[code].kind,
                accounts=row["owners"] or 1,
                debit_minor=int(row["debit"]),
                credit_minor=-int(row["credit"]),
            )
            for row in sums.order_by("account__code")
        ),
    )


def currencies() -> list[str]:
    """Return the currencies that the books are kept in, in alphabetical order."""
    return list(Account.objects.order_by("currency").values_list("currency", flat=True).distinct())


def visible_entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """Return the entries an actor may read: all of them with the books, else those of its own organisation."""
    entries = LedgerEntry.objects.select_related("account", "transaction")
    if actor.can(Capability.VIEW_BOOKS):
        return entries
    codes = _own_codes(actor)
    return entries.filter(account__organisation_id=actor.organisation(), account__code__in=codes)


def visible_holds(actor: Actor) -> QuerySet[Hold]:
    """Return the holds an actor may read: all of them with the books, else its own organisation's as a buyer."""
    holds = Hold.objects.select_related("project")
    if actor.can(Capability.VIEW_BOOKS):
        return holds
    actor.require(Capability.VIEW_BUYING)
    return holds.filter(organisation_id=actor.organisation())


def _own_codes(actor: Actor) -> list[Code]:
    """Return which accounts of its organisation an actor may read: the buying side, the selling side or both."""
    codes: list[Code] = []
    if actor.can(Capability.VIEW_BUYING):
        codes += [Code.WALLET, Code.RECEIVABLE]
    if actor.can(Capability.VIEW_SELLING):
        codes += [Code.PAYABLE_PENDING, Code.PAYABLE_AVAILABLE, Code.PROVIDER_RESERVE]
    if not codes:
        actor.require(Capability.VIEW_BUYING)
    return codes


def wallet_entries(organisation_id: UUID) -> QuerySet[LedgerEntry]:
    """Return every movement of an organisation's wallets."""
    entries = LedgerEntry.objects.select_related("account", "transaction")
    return entries.filter(account__code=Code.WALLET, account__organisation_id=organisation_id)
