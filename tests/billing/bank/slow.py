"""The import of a statement one movement after another: the slow reference of the one that works in sets."""

import hashlib
from datetime import datetime

from accounts.actors.actor import Actor
from billing.bank.errors import EntryContradicts
from billing.bank.models import BankEntry, BankStatement
from billing.bank.rules import Entry
from billing.bank.services import RowResult, read
from billing.payments import rules as payment_rules
from billing.payments import services as payments
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import BankLine, ReceiptStatus, TopUpStatus
from catalog.measures.money import Money


def import_statement(actor: Actor, text: str, *, now: datetime) -> list[RowResult]:
    """Take in a statement that is new; return what became of its rows."""
    said = read(text, today=now.date())
    statement = BankStatement.objects.create(
        digest=hashlib.sha256(b"slowly " + text.encode()).hexdigest(),
        format=said.format, file_name="slow", account=said.account, currency=said.currency,
        entry_count=len(said.entries), imported_at=now,
    )  # fmt: skip
    return [_take(actor, statement, entry, now=now) for entry in said.entries]


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
