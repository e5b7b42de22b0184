"""Importing the bank's statements, all or nothing: read, matched in one pass, and written as sets."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db import IntegrityError, transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids, rows
from billing.bank import camt, csv_files, matching, rules
from billing.bank.errors import StatementUnreadable
from billing.bank.models import BankEntry, BankStatement
from billing.bank.rules import MAX_BYTES, Problem, Statement, Unreadable
from billing.payments import receiving
from billing.payments.rules import ReceiptStatus
from billing.periods.rules import BOOKS_ZONE


class RowResult(StrEnum):
    """What became of a row."""

    MATCHED = "matched"
    WAITS = "waits"  # in suspense, for a person
    OUT = "out"  # money that we sent
    KNOWN = "known"  # imported before, by another file


@dataclass(frozen=True)
class Imported:
    """A statement, and what became of each of its rows."""

    statement: BankStatement
    rows: tuple[tuple[int, str, RowResult], ...]  # row, the bank's id, result
    is_new: bool


def read(text: str, *, today: date) -> Statement:
    """Return what a file says, CAMT.053 or CSV by its first character; raises StatementUnreadable."""
    if len(text.encode()) > MAX_BYTES:
        raise StatementUnreadable([Problem(0, "file", f"{len(text)} characters", f"{MAX_BYTES} bytes at most")])
    if "\ufffd" in text:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        expected = "the file in UTF-8: somebody has read it in another encoding before"
        raise StatementUnreadable([Problem(0, f"line {line}", "\ufffd", expected)])
    try:
        is_xml = text.lstrip("\ufeff \r\n\t").startswith("<")
        statement = camt.read(text.lstrip("\ufeff \r\n\t")) if is_xml else csv_files.read(text)
        rules.check_days(statement, today=today)
    except Unreadable as error:
        raise StatementUnreadable(error.problems) from error
    return statement


@transaction.atomic
def import_statement(actor: Actor, text: str, *, file_name: str, now: datetime) -> Imported:
    """Take in a statement: all of it, or with one unreadable row nothing. The same file again changes nothing.

    Entries that another file has brought are told as known. Raises StatementUnreadable, EntryContradicts, ReceiptKnown.
    """
    actor.require(Capability.OPERATE_BOOKS)
    digest = hashlib.sha256(text.encode()).hexdigest()
    before = BankStatement.objects.filter(digest=digest).first()
    if before is not None:
        return Imported(before, _told(before), is_new=False)
    said = read(text, today=now.astimezone(BOOKS_ZONE).date())
    try:
        with transaction.atomic():
            statement = BankStatement.objects.create(
                digest=digest,
                format=said.format,
                file_name=file_name,
                account=said.account,
                reference=said.reference,
                currency=said.currency,
                opening_minor=None if said.opening is None else said.opening.amount_minor,
                closing_minor=None if said.closing is None else said.closing.amount_minor,
                entry_count=len(said.entries),
                imported_by_id=actor.user_id,
                imported_at=now,
            )
    except IntegrityError:  # a colleague imports the same file at this moment, and was faster
        first = BankStatement.objects.get(digest=digest)
        return Imported(first, _told(first), is_new=False)
    found = matching.match(actor, said, now=now)
    takings = [movement.taking for movement in found if movement.taking is not None]
    receiving.take_all(actor, takings, currency=said.currency, now=now)
    made = {movement.entry.row: _entry(statement, movement) for movement in found if not movement.is_known}
    rows.insert(made.values())
    results = tuple(
        (said_of.row, said_of.bank_reference, result_of(made[said_of.row]) if said_of.row in made else RowResult.KNOWN)
        for said_of in said.entries
    )
    counts = {str(result): sum(1 for row in results if row[2] is result) for result in RowResult}
    shown = {"file": file_name, "account": said.account, "digest": digest, "entries": len(results), **counts}
    audit.record(actor, "bank_statement.import", "bank_statement", statement.id, None, shown, now=now)
    told = {"bank_statement": ids.spell("bst", statement.id), "entries": str(len(results))}
    events.emit("bank_statement.imported", "bank_statement", statement.id, None, told, now=now)
    return Imported(statement, results, is_new=True)


def _entry(statement: BankStatement, movement: matching.Found) -> BankEntry:
    entry = movement.entry
    return BankEntry(
        statement=statement,
        row=entry.row,
        account=statement.account,
        bank_reference=entry.bank_reference,
        amount_minor=matching.signed_minor(entry),
        currency=entry.amount.currency,
        booked_on=entry.booked_on,
        value_date=entry.value_date,
        counterparty=entry.counterparty,
        counterparty_account=entry.counterparty_account,
        remittance=entry.remittance,
        receipt=None if movement.taking is None else movement.taking.receipt,
    )


def _told(statement: BankStatement) -> tuple[tuple[int, str, RowResult], ...]:
    entries = statement.entries.select_related("receipt").order_by("row")
    return tuple((entry.row, entry.bank_reference, result_of(entry)) for entry in entries)


def result_of(entry: BankEntry) -> RowResult:
    """Return what became of an entry by now."""
    if entry.receipt is None:
        return RowResult.OUT
    return RowResult.WAITS if entry.receipt.status == ReceiptStatus.UNMATCHED else RowResult.MATCHED
