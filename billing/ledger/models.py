"""Accounts with their balances, transactions with their entries, holds with their events.

Balances, counters and running numbers are kept by triggers (migration `books_guards`), so that
they can only move together with the append-only rows they summarise.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from accounts.projects.models import Project
from billing.ledger.chart import CHART, EXCHANGE_CODES, ORGANISATION_CODES, SHARDS, AccountKind, Code
from billing.ledger.rules import HoldEventKind, HoldStatus


def _values(members: Iterable[StrEnum]) -> list[str]:
    """Return plain texts: a constraint in a migration must not change with an enum."""
    return sorted(member.value for member in members)


class Account(models.Model):
    """One account of the chart in one currency, with its balance (debit positive) as a locked summary row."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=4)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="ledger_accounts")
    currency = models.CharField(max_length=3)
    shard = models.SmallIntegerField(default=0)
    kind = models.CharField(max_length=16)
    opened_at = models.DateTimeField()
    # Kept by triggers: the sum of the entries, their count, and the sum of the open holds.
    balance_minor = models.BigIntegerField(default=0)
    entry_count = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    credit_limit_minor = models.BigIntegerField(default=0)
    # How far an invoice's extras took the wallet below its credit; shrinks by itself as money comes in.
    overdraft_minor = models.BigIntegerField(default=0)
    overdraft_by = models.ForeignKey("billing.LedgerTransaction", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["code", "organisation", "currency", "shard"], nulls_distinct=False, name="account_is_unique"
            ),
            # What the composite foreign keys of entries and holds refer to.
            models.UniqueConstraint(fields=["id", "currency"], name="account_currency_key"),
            models.UniqueConstraint(fields=["id", "organisation", "currency"], name="account_owner_key"),
            models.CheckConstraint(
                condition=Q(code__in=_values(ORGANISATION_CODES), organisation__isnull=False)
                | Q(code__in=_values(EXCHANGE_CODES), organisation__isnull=True),
                name="account_has_its_owner",
            ),
            models.CheckConstraint(
                condition=Q(
                    *(
                        Q(kind=kind.value, code__in=_values(code for code in CHART if CHART[code].kind is kind))
                        for kind in AccountKind
                        if kind is not AccountKind.EQUITY  # the chart has none yet
                    ),
                    _connector=Q.OR,
                ),
                name="account_kind_is_its_codes",
            ),
            models.CheckConstraint(
                condition=Q(shard=0)
                | Q(shard__gt=0, shard__lt=SHARDS, code__in=_values(code for code in CHART if CHART[code].sharded)),
                name="account_shard_in_range",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(code=Code.WALLET.value) | Q(held_minor=0, credit_limit_minor=0, overdraft_minor=0),
                name="account_only_wallets_hold",
            ),
            models.CheckConstraint(
                condition=Q(held_minor__gte=0, credit_limit_minor__gte=0, overdraft_minor__gte=0, entry_count__gte=0),
                name="account_amounts_not_negative",
            ),
            # The customer's funds (-balance) less what is held never fall below credit and overdraft.
            models.CheckConstraint(
                condition=~Q(code=Code.WALLET.value)
                | Q(balance_minor__lte=F("credit_limit_minor") + F("overdraft_minor") - F("held_minor")),
                name="wallet_covers_its_holds",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__gte=strict.EARLIEST, opened_at__lt=strict.LATEST), name="account_opened_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.currency}"


class LedgerTransaction(models.Model):
    """A posting: two or more entries that sum to zero, made once for one business source. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    effective_at = models.DateTimeField()  # when it counts in the books
    posted_at = models.DateTimeField()  # when it was written
    source_type = models.CharField(max_length=32)
    source_id = models.UUIDField()
    purpose = models.CharField(max_length=32)
    memo = models.CharField(max_length=200, default="", blank=True)
    reversal_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversal")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source_type", "source_id", "purpose"], name="transaction_once_per_source"),
            models.CheckConstraint(condition=~Q(source_type="") & ~Q(purpose=""), name="transaction_names_its_source"),
            models.CheckConstraint(
                condition=Q(effective_at__gte=strict.EARLIEST, effective_at__lt=strict.LATEST)
                & Q(posted_at__gte=strict.EARLIEST, posted_at__lt=strict.LATEST),
                name="transaction_times_in_range",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["effective_at"], name="transaction_by_effect")]

    def __str__(self) -> str:
        return f"{self.source_type} {self.purpose}"


class LedgerEntry(models.Model):
    """One account's part in a transaction: minor units, debit positive. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    # The composite key (account, currency) of the guards migration is the real constraint.
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    # Written by the trigger: the entry's place in its account, without gaps, and the balance after it.
    account_n = models.BigIntegerField(default=0)
    balance_after_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "account"], name="entry_once_per_account"),
            models.UniqueConstraint(fields=["account", "account_n"], name="entry_has_its_place"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="entry_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"


class Hold(models.Model):
    """Funds of a wallet set aside for one purpose. Its counters are kept by the trigger of its events."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    # Composite key (account, organisation, currency) in the guards migration.
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds", db_constraint=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="holds")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="holds")
    currency = models.CharField(max_length=3)
    source_type = models.CharField(max_length=32)
    source_id = models.UUIDField()
    purpose = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    amount_minor = models.BigIntegerField(default=0)  # what is held now
    original_minor = models.BigIntegerField(default=0)
    grown_minor = models.BigIntegerField(default=0)
    captured_minor = models.BigIntegerField(default=0)
    released_minor = models.BigIntegerField(default=0)  # given back, by shrinking or at the end
    event_count = models.IntegerField(default=0)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source_type", "source_id", "purpose"], name="hold_once_per_source"),
            models.CheckConstraint(condition=~Q(source_type="") & ~Q(purpose=""), name="hold_names_its_source"),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gte=0,
                    original_minor__gte=0,
                    grown_minor__gte=0,
                    captured_minor__gte=0,
                    released_minor__gte=0,
                ),
                name="hold_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    original_minor=F("amount_minor") + F("captured_minor") + F("released_minor") - F("grown_minor")
                ),
                name="hold_accounts_for_everything",
            ),
            # Closed exactly when nothing is left of it; before its first event it is neither.
            models.CheckConstraint(
                condition=Q(event_count=0, original_minor=0, grown_minor=0, amount_minor=0, closed_at__isnull=True)
                | Q(event_count__gt=0, amount_minor__gt=0, closed_at__isnull=True)
                | Q(event_count__gt=0, amount_minor=0, closed_at__isnull=False),
                name="hold_closes_when_empty",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST), name="hold_created_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} for {self.source_type}"

    @property
    def status(self) -> HoldStatus:
        """Whether anything is still held."""
        return HoldStatus.CLOSED if self.closed_at else HoldStatus.OPEN


class HoldEvent(models.Model):
    """Something that happened to a hold, in order. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="events", db_index=False)
    n = models.IntegerField(default=0)  # written by the trigger: 1, 2, 3 ... for each hold
    kind = models.CharField(max_length=16)
    amount_minor = models.BigIntegerField()
    # The posting that took the money; captures have one and nothing else has.
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="captures")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hold", "n"], name="hold_event_has_its_place"),
            models.UniqueConstraint(fields=["hold", "transaction"], name="hold_captured_once_per_transaction"),
            models.UniqueConstraint(
                fields=["hold"], condition=Q(kind=HoldEventKind.PLACED.value), name="hold_placed_once"
            ),
            models.UniqueConstraint(
                fields=["hold"], condition=Q(kind=HoldEventKind.RELEASED.value), name="hold_released_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=_values(HoldEventKind)), name="hold_event_kind_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="hold_event_moves_something"),
            models.CheckConstraint(
                condition=Q(kind=HoldEventKind.CAPTURED.value, transaction__isnull=False)
                | (~Q(kind=HoldEventKind.CAPTURED.value) & Q(transaction__isnull=True)),
                name="hold_capture_names_its_transaction",
            ),
            models.CheckConstraint(
                condition=Q(at__gte=strict.EARLIEST, at__lt=strict.LATEST), name="hold_event_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"
