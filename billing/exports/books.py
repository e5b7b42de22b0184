"""Reads the ledger for its journal: all of it, a few thousand entries at a time."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db.models import Max, Min

from accounts.actors.actor import Actor, Capability
from billing.exports import journal
from billing.exports.journal import AccountLine, Entry, JournalFormat, Posting
from billing.ledger.chart import Code
from billing.ledger.models import Account, LedgerEntry, LedgerTransaction
from billing.ledger.rules import AccountRef
from billing.periods.rules import BOOKS_ZONE

CHUNK: Final = 2_000


def journal_pieces(actor: Actor, journal_format: JournalFormat, *, today: date) -> Iterator[str]:
    """Yield the whole ledger as a journal; memory does not grow with the ledger.

    The caller reads in one snapshot (REPEATABLE READ), so that the balances are those of the entries whatever is
    posted meanwhile. Balances are asserted after the last day on which anything took effect or was opened, `today` in
    books without an account. Raises NotAllowed.
    """
    actor.require(Capability.VIEW_BOOKS)
    accounts = _accounts()
    last = LedgerTransaction.objects.aggregate(last=Max("effective_at"))["last"]
    # An account may be younger than the last transaction: a balance before its opening is an error for beancount.
    days = [account.opened_on for account in accounts] + ([] if last is None else [_day(last)])
    yield from journal.pieces(journal_format, accounts, _entries(), last_day=max(days, default=today))


def _accounts() -> list[AccountLine]:
    """Return every account of a currency, its shards together, in the order of the chart."""
    rows = Account.objects.select_related("organisation").order_by("code", "organisation_id", "currency", "shard")
    # What counts from before the account's first use (a release, from its due date) opens it earlier.
    first_effect = dict(
        LedgerEntry.objects.order_by().values_list("account_id").annotate(Min("transaction__effective_at"))
    )
    lines: dict[tuple[str, UUID | None, str], AccountLine] = {}
    for row in rows:
        key = (row.code, row.organisation_id, row.currency)
        opened_on = _day(min(row.opened_at, first_effect.get(row.id, row.opened_at)))
        before = lines.get(key)
        lines[key] = AccountLine(
            account=AccountRef(Code(row.code), row.organisation_id),
            currency=row.currency,
            organisation=row.organisation.name if row.organisation else "",
            opened_on=min(before.opened_on, opened_on) if before else opened_on,
            balance_minor=row.balance_minor + (before.balance_minor if before else 0),
        )
    return list(lines.values())


def _entries() -> Iterator[Entry]:
    rows = (
        LedgerEntry.objects.select_related("transaction", "account")
        .order_by("transaction__effective_at", "transaction_id", "account__code", "id")
        .iterator(chunk_size=CHUNK)
    )
    for _, postings in groupby(rows, key=attrgetter("transaction_id")):
        entries = list(postings)
        told = entries[0].transaction
        yield Entry(
            id=told.id,
            day=_day(told.effective_at),
            memo=told.memo,
            source_type=told.source_type,
            source_id=told.source_id,
            purpose=told.purpose,
            postings=tuple(
                Posting(
                    AccountRef(Code(entry.account.code), entry.account.organisation_id),
                    entry.currency,
                    entry.amount_minor,
                )
                for entry in entries
            ),
        )


def _day(instant: datetime) -> date:
    return instant.astimezone(BOOKS_ZONE).date()
