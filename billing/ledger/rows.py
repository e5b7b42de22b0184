"""The rows of a posting, locked and written in plain SQL.

Every business step posts, so this is the hottest path of the house. The ORM builds the same statements, and takes
three times as long to build them as the database takes to run them (benchmarks/ledger); the guards are all in the
database and see no difference.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.foundation import ids
from billing.ledger.chart import CHART, Code
from billing.ledger.models import Account, LedgerTransaction
from billing.ledger.rules import AccountRef

BLOCK: Final = 500  # transactions of one statement

Key = tuple[AccountRef, int]  # an account and which of its rows
Value = str | int | datetime | UUID | list[UUID] | None

_COLUMNS: Final = tuple(field.attname for field in Account._meta.concrete_fields)
_SELECTED: Final = ", ".join(_COLUMNS)

# No key of an account ever changes, so rows that refer to it need not wait for this lock.
_LOCKED: Final = "ORDER BY id FOR NO KEY UPDATE"

_SELECT_BY_ID: Final = f"SELECT {_SELECTED} FROM billing_account WHERE id = ANY(%s) {_LOCKED}"  # noqa: S608 (constants)

_INSERT_TRANSACTIONS: Final = (
    "INSERT INTO billing_ledgertransaction"
    " (id, effective_at, posted_at, source_type, source_id, purpose, memo, reversal_of_id) VALUES "
)
_EACH_TRANSACTION: Final = "(%s, %s, %s, %s, %s, %s, %s, %s)"
_INSERT_TRANSACTION: Final = _INSERT_TRANSACTIONS + _EACH_TRANSACTION
_INSERT_ENTRIES: Final = (
    "INSERT INTO billing_ledgerentry"
    " (id, transaction_id, account_id, currency, amount_minor, account_n, balance_after_minor) VALUES "
)


# Two branches, for a condition that also takes accounts without an owner has no index to go by.
_SELECT_OF_MANY: Final = f"""
    SELECT {_SELECTED} FROM billing_account WHERE id IN (
        SELECT a.id FROM billing_account a
        JOIN unnest(%s::text[], %s::smallint[], %s::uuid[]) AS w(code, shard, organisation_id)
          ON a.code = w.code AND a.shard = w.shard AND a.organisation_id = w.organisation_id
        WHERE a.currency = %s
        UNION ALL
        SELECT a.id FROM billing_account a JOIN unnest(%s::text[], %s::smallint[]) AS w(code, shard)
          ON a.code = w.code AND a.shard = w.shard AND a.organisation_id IS NULL
        WHERE a.currency = %s
    ) {_LOCKED}
"""  # noqa: S608 (constants)


def locked_accounts(wanted: Iterable[Key], *, currency: str, now: datetime) -> dict[Key, Account]:
    """Lock accounts by (reference, row) in the order of their ids, opening those that do not exist."""
    wanted = list(wanted)
    accounts = _found(wanted, currency)
    missing = [key for key in wanted if key not in accounts]
    if missing:
        Account.objects.bulk_create(
            [_new_account(ref, shard, currency, now) for ref, shard in missing], ignore_conflicts=True
        )
        accounts = _found(wanted, currency)
    return accounts


def locked_of_many(wanted: Iterable[Key], *, currency: str, now: datetime) -> dict[Key, Account]:
    """Do as locked_accounts for any number of accounts: those of many postings."""
    wanted = sorted(set(wanted), key=lambda key: (key[0].code, str(key[0].organisation_id), key[1]))
    accounts = _found_among(wanted, currency)
    missing = [key for key in wanted if key not in accounts]
    if missing:
        Account.objects.bulk_create(
            [_new_account(ref, shard, currency, now) for ref, shard in missing], ignore_conflicts=True
        )
        accounts = _found_among(wanted, currency)
    return accounts


def locked_by_id(account_ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Lock accounts in the order of their ids."""
    return {account.id: account for account in _fetched(_SELECT_BY_ID, [list(account_ids)])}


def write(transaction: LedgerTransaction, postings: Sequence[tuple[Account, int]]) -> None:
    """Write a transaction and its entries in one journey to the database."""
    _execute(
        f"{_INSERT_TRANSACTION}; {_insert_entries(len(postings))}",
        [*_transaction_values(transaction), *_entry_values(transaction, postings)],
    )
    _is_stored(transaction)


def write_transaction(transaction: LedgerTransaction) -> None:
    """Write a transaction whose entries follow after something else."""
    _execute(_INSERT_TRANSACTION, _transaction_values(transaction))
    _is_stored(transaction)


def write_entries(transaction: LedgerTransaction, postings: Sequence[tuple[Account, int]]) -> None:
    """Write the entries of a transaction that was written before."""
    _execute(_insert_entries(len(postings)), _entry_values(transaction, postings))


def write_transactions(transactions: Sequence[LedgerTransaction]) -> None:
    """Write many transactions whose entries follow."""
    for first in range(0, len(transactions), BLOCK):
        block = transactions[first : first + BLOCK]
        values = [value for transaction in block for value in _transaction_values(transaction)]
        _execute(_INSERT_TRANSACTIONS + ", ".join([_EACH_TRANSACTION] * len(block)), values)
        for transaction in block:
            _is_stored(transaction)


def write_all_entries(made: Sequence[tuple[LedgerTransaction, Sequence[tuple[Account, int]]]]) -> None:
    """Write the entries of many transactions that were written before, in their order."""
    for first in range(0, len(made), BLOCK):
        block = made[first : first + BLOCK]
        values = [value for transaction, postings in block for value in _entry_values(transaction, postings)]
        _execute(_insert_entries(sum(len(postings) for _, postings in block)), values)


def _found_among(wanted: Sequence[Key], currency: str) -> dict[Key, Account]:
    owned = [(ref.code.value, shard, ref.organisation_id) for ref, shard in wanted if ref.organisation_id is not None]
    others = [(ref.code.value, shard) for ref, shard in wanted if ref.organisation_id is None]
    values: list[Any] = [*([list(column) for column in zip(*owned, strict=True)] or [[], [], []]), currency]
    values += [*([list(column) for column in zip(*others, strict=True)] or [[], []]), currency]
    found = _fetched(_SELECT_OF_MANY, values)
    return {(AccountRef(Code(row.code), row.organisation_id), row.shard): row for row in found}


def _found(wanted: Sequence[Key], currency: str) -> dict[Key, Account]:
    values: list[Value] = []
    for ref, shard in wanted:
        values += [ref.code.value, shard]
        if ref.organisation_id is not None:
            values.append(ref.organisation_id)
    statement = _select_accounts(tuple(ref.organisation_id is not None for ref, _ in wanted))
    found = _fetched(statement, [*values, currency])
    return {(AccountRef(Code(row.code), row.organisation_id), row.shard): row for row in found}


@cache
def _select_accounts(owned: tuple[bool, ...]) -> str:
    each = " OR ".join(
        f"(code = %s AND shard = %s AND organisation_id {'= %s' if has_owner else 'IS NULL'})" for has_owner in owned
    )
    return f"SELECT {_SELECTED} FROM billing_account WHERE ({each}) AND currency = %s {_LOCKED}"  # noqa: S608 (constants)


@cache
def _insert_entries(count: int) -> str:
    return _INSERT_ENTRIES + ", ".join(["(%s, %s, %s, %s, %s, 0, 0)"] * count)


def _transaction_values(transaction: LedgerTransaction) -> list[Value]:
    return [
        transaction.id,
        transaction.effective_at,
        transaction.posted_at,
        transaction.source_type,
        transaction.source_id,
        transaction.purpose,
        transaction.memo,
        transaction.reversal_of_id,
    ]


def _entry_values(transaction: LedgerTransaction, postings: Sequence[tuple[Account, int]]) -> list[Value]:
    values: list[Value] = []
    # The trigger updates the balance rows in the order of the entries: the order of the locks.
    for account, amount in sorted(postings, key=lambda posting: posting[0].id):
        values += [ids.new_id(), transaction.id, account.id, account.currency, amount]
    return values


def _fetched(statement: str, values: Sequence[Any]) -> list[Account]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Account.from_db(connection.alias, _COLUMNS, row) for row in cursor.fetchall()]


def _execute(statement: str, values: Sequence[Value]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _is_stored(transaction: LedgerTransaction) -> None:
    transaction._state.adding = False
    transaction._state.db = connection.alias


def _new_account(ref: AccountRef, shard: int, currency: str, now: datetime) -> Account:
    return Account(
        code=ref.code,
        organisation_id=ref.organisation_id,
        currency=currency,
        shard=shard,
        kind=CHART[ref.code].kind,
        opened_at=now,
    )
