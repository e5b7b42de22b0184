"""Importing the bank's statements, all or nothing, and matching what came in.

1. An entry that quotes exactly one awaiting top-up of its amount confirms it.
2. Without a sound reference: when earlier receipts from the payer's account all belong to one organisation, and that
   has exactly one awaiting top-up of the amount, it confirms that.
3. Everything else that came in waits in suspense for a person, who matches, splits or returns it.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db import IntegrityError, transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.bank import camt, csv_files, rules
from billing.bank.errors import EntryContradicts, StatementUnreadable
from billing.bank.models import BankEntry, BankStatement
from billing.bank.rules import MAX_BYTES, Entry, Problem, Statement, Unreadable
from billing.payments import rules as payment_rules
from billing.payments import services as payments
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import BankLine, ReceiptStatus, TopUpStatus
from billing.periods.rules import BOOKS_ZONE
from catalog.measures.money import Money


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

    Entries that another file has brought are told as known. Raises StatementUnreadable and EntryContradicts.
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
    rows = tuple((entry.row, entry.bank_reference, _take(actor, statement, entry, now=now)) for entry in said.entries)
    counts = {str(result): sum(1 for row in rows if row[2] is result) for result in RowResult}
    shown = {"file": file_name, "account": said.account, "digest": digest, "entries": len(rows), **counts}
    audit.record(actor, "bank_statement.import", "bank_statement", statement.id, None, shown, now=now)
    told = {"bank_statement": ids.spell("bst", statement.id), "entries": str(len(rows))}
    events.emit("bank_statement.imported", "bank_statement", statement.id, None, told, now=now)
    return Imported(statement, rows, is_new=True)


def _take(actor: Actor, statement: BankStatement, entry: Entry, *, now: datetime) -> RowResult:
    signed = entry.amount.amount_minor if entry.is_credit else -entry.amount.amount_minor
    known = BankEntry.objects.filter(account=statement.account, bank_reference=entry.bank_reference).first()
    if known is not None:
        if (known.amount_minor, known.currency) != (signed, entry.amount.currency):
            raise EntryContradicts(
                entry.bank_reference,
                known=str(Money(known.amount_minor, known.currency)),
                seen=str(Money(signed, entry.amount.currency)),
            )
        return RowResult.KNOWN
    receipt = _receipt(actor, entry, now=now) if entry.is_credit else None
    BankEntry.objects.create(
        statement=statement,
        row=entry.row,
        account=statement.account,
        bank_reference=entry.bank_reference,
        amount_minor=signed,
        currency=entry.amount.currency,
        booked_on=entry.booked_on,
        value_date=entry.value_date,
        counterparty=entry.counterparty,
        counterparty_account=entry.counterparty_account,
        remittance=entry.remittance,
        receipt=receipt,
    )
    if receipt is None:
        return RowResult.OUT
    if receipt.status == ReceiptStatus.UNMATCHED and not payment_rules.references_in(entry.remittance):
        receipt = _match_by_payer(actor, receipt, entry, now=now)
    return RowResult.WAITS if receipt.status == ReceiptStatus.UNMATCHED else RowResult.MATCHED


def _receipt(actor: Actor, entry: Entry, *, now: datetime) -> BankReceipt:
    """Record what came in; what a clerk has typed from the bank's page before is the same receipt."""
    typed = BankReceipt.objects.filter(bank_reference=entry.bank_reference, entry__isnull=True).first()
    if typed is not None:
        if (typed.amount_minor, typed.currency) != (entry.amount.amount_minor, entry.amount.currency):
            raise EntryContradicts(
                entry.bank_reference, known=str(Money(typed.amount_minor, typed.currency)), seen=str(entry.amount)
            )
        return typed
    line = BankLine(
        bank_reference=entry.bank_reference,
        amount=entry.amount,
        value_date=entry.value_date,
        payer=entry.counterparty,
        remittance=entry.remittance,
    )
    return payments.record_receipt(actor, line, now=now)


def _match_by_payer(actor: Actor, receipt: BankReceipt, entry: Entry, *, now: datetime) -> BankReceipt:
    if not entry.counterparty_account:
        return receipt
    owners = set(
        BankEntry.objects.filter(
            counterparty_account=entry.counterparty_account, receipt__top_up__isnull=False
        ).values_list("receipt__top_up__organisation_id", flat=True)
    )
    if len(owners) != 1:
        return receipt
    waiting = list(
        TopUp.objects.filter(
            organisation_id__in=owners,
            status=TopUpStatus.AWAITING,
            amount_minor=receipt.amount_minor,
            currency=receipt.currency,
        ).order_by("id")[:2]
    )
    # Nobody confirms what he asked for himself, not by importing a file either.
    if len(waiting) != 1 or (actor.user_id is not None and waiting[0].requested_by_id == actor.user_id):
        return receipt
    return payments.match_receipt(actor, receipt.id, top_up_id=waiting[0].id, now=now)


def _told(statement: BankStatement) -> tuple[tuple[int, str, RowResult], ...]:
    entries = statement.entries.select_related("receipt").order_by("row")
    return tuple((entry.row, entry.bank_reference, result_of(entry)) for entry in entries)


def result_of(entry: BankEntry) -> RowResult:
    """Return what became of an entry by now."""
    if entry.receipt is None:
        return RowResult.OUT
    return RowResult.WAITS if entry.receipt.status == ReceiptStatus.UNMATCHED else RowResult.MATCHED
