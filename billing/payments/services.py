"""Money in: top-ups are requested by customers and confirmed by finance as the bank shows them.

Rows are locked in one order: the top-up, the bank receipt, then the ledger's accounts.
"""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.ledger import many
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payments import queries, rules, steps, stripe_receipts
from billing.payments.errors import AmountMismatch, NoSuchReceipt, OwnTopUp, ReceiptKnown, ReceiptMatched
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import BankLine, ReceiptStatus, TopUpMethod, TopUpStatus
from catalog.measures.money import Money


@transaction.atomic
def request_top_up(actor: Actor, amount: Money, *, now: datetime) -> TopUp:
    """Announce a bank transfer to the actor's wallet; the answer carries the reference to quote."""
    actor.require(Capability.TRADE)
    assert rules.MIN_TOP_UP_MINOR <= amount.amount_minor <= rules.MAX_TOP_UP_MINOR, amount
    top_up_id = ids.new_id()
    top_up = TopUp.objects.create(
        id=top_up_id,
        organisation_id=actor.organisation(),
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        method=TopUpMethod.BANK_TRANSFER,
        reference=rules.reference(top_up_id),
        status=TopUpStatus.AWAITING,
        requested_by_id=actor.user_id,
        created_at=now,
    )
    _note(actor, top_up, "request", None, now=now)
    return top_up


@transaction.atomic
def confirm(actor: Actor, top_up_id: UUID, line: BankLine, *, now: datetime) -> TopUp:
    """Credit the wallet with a top-up that the bank shows: the receipt is recorded and matched at once.

    Confirming the same top-up with the same bank transaction again changes nothing. Raises
    AmountMismatch, OwnTopUp, ReceiptKnown, TopUpMoveRefused and NoSuchTopUp.
    """
    actor.require(Capability.OPERATE_BOOKS)
    top_up = queries.locked_top_up(actor, top_up_id)
    if _confirmed_by_line(top_up, line):
        return top_up
    _check_fit(actor, top_up, line.amount)
    receipt = _new_receipt(actor, line, now=now)
    _credit(actor, top_up, receipt, taken_from=Code.BANK, now=now)
    return top_up


@transaction.atomic
def record_receipt(actor: Actor, line: BankLine, *, now: datetime) -> BankReceipt:
    """Take in a line of the bank's statement.

    When it quotes exactly one awaiting top-up of the same amount, that is confirmed. Otherwise the
    money waits in suspense until somebody finds out whose it is. Raises ReceiptKnown.
    """
    actor.require(Capability.OPERATE_BOOKS)
    fitting = queries.locked_top_ups_fitting(rules.references_in(line.remittance), line.amount)
    payout = None if fitting else stripe_receipts.fitting(line)
    receipt = _new_receipt(actor, line, now=now)
    if payout is not None:
        stripe_receipts.link(actor, receipt, payout, now=now)
        return receipt
    if len(fitting) == 1 and not steps.is_own(actor, fitting[0]):
        _credit(actor, fitting[0], receipt, taken_from=Code.BANK, now=now)
        return receipt
    many.post_all([steps.suspension(receipt, now=now)], currency=receipt.currency, now=now)
    events.emit_all([steps.unmatched(receipt, now=now)])
    return receipt


@transaction.atomic
def match_receipt(actor: Actor, receipt_id: UUID, *, top_up_id: UUID, now: datetime) -> BankReceipt:
    """Credit the wallet of a top-up with money that waited in suspense.

    Raises AmountMismatch, OwnTopUp, ReceiptMatched, TopUpMoveRefused, NoSuchTopUp and NoSuchReceipt.
    """
    actor.require(Capability.OPERATE_BOOKS)
    top_up = queries.locked_top_up(actor, top_up_id)
    receipt = BankReceipt.objects.select_for_update(no_key=True).filter(id=receipt_id).first()
    if receipt is None:
        raise NoSuchReceipt
    if receipt.status != ReceiptStatus.UNMATCHED:
        raise ReceiptMatched
    _check_fit(actor, top_up, Money(receipt.amount_minor, receipt.currency))
    _credit(actor, top_up, receipt, taken_from=Code.SUSPENSE, now=now)
    return receipt


@transaction.atomic
def cancel_top_up(actor: Actor, top_up_id: UUID, *, now: datetime) -> TopUp:
    """Withdraw an announced top-up before the money is there; raises TopUpMoveRefused and NoSuchTopUp."""
    actor.require(Capability.TRADE, Capability.OPERATE_BOOKS)
    return _end(actor, queries.locked_top_up(actor, top_up_id), TopUpStatus.CANCELLED, "cancel", now=now)


@transaction.atomic
def return_top_up(actor: Actor, top_up_id: UUID, *, now: datetime) -> TopUp:
    """Take a confirmed top-up out of the wallet again, because the bank has taken the money back.

    Raises InsufficientFunds when it has been spent, TopUpMoveRefused and NoSuchTopUp.
    """
    actor.require(Capability.OPERATE_BOOKS)
    top_up = queries.locked_top_up(actor, top_up_id)
    rules.check_move(TopUpStatus(top_up.status), TopUpStatus.RETURNED)
    ledger.post(
        Source("top_up", top_up.id, "return"),
        [debit(Code.WALLET, top_up.amount_minor, top_up.organisation_id), credit(Code.BANK, top_up.amount_minor)],
        currency=top_up.currency,
        effective_at=now,
        now=now,
        memo=f"Top-up {top_up.reference} returned",
    )
    return _end(actor, top_up, TopUpStatus.RETURNED, "return", now=now)


def credit_part(actor: Actor, top_up: TopUp, *, bank_reference: str, now: datetime) -> None:
    """Credit a locked top-up with a part of what waits in suspense; raises OwnTopUp and TopUpMoveRefused."""
    if steps.is_own(actor, top_up):
        raise OwnTopUp
    _confirm(actor, top_up, taken_from=Code.SUSPENSE, bank_reference=bank_reference, now=now)


def _credit(actor: Actor, top_up: TopUp, receipt: BankReceipt, *, taken_from: Code, now: datetime) -> None:
    """Post the top-up, and mark both rows as belonging together."""
    _confirm(actor, top_up, taken_from=taken_from, bank_reference=receipt.bank_reference, now=now)
    receipt.status = ReceiptStatus.MATCHED
    receipt.top_up = top_up
    receipt.matched_at = now
    receipt.save(update_fields=["status", "top_up", "matched_at"])


def _confirm(actor: Actor, top_up: TopUp, *, taken_from: Code, bank_reference: str, now: datetime) -> None:
    rules.check_move(TopUpStatus(top_up.status), TopUpStatus.CONFIRMED)
    confirmation = steps.confirmation(top_up, taken_from=taken_from, now=now)
    many.post_all([confirmation], currency=top_up.currency, now=now)
    before = top_up.status
    top_up.status = TopUpStatus.CONFIRMED
    top_up.confirmed_by_id = actor.user_id
    top_up.confirmed_at = now
    top_up.save(update_fields=["status", "confirmed_by", "confirmed_at"])
    _note(actor, top_up, "confirm", before, now=now, bank_reference=bank_reference)


def _end(actor: Actor, top_up: TopUp, status: TopUpStatus, action: str, *, now: datetime) -> TopUp:
    rules.check_move(TopUpStatus(top_up.status), status)
    before = top_up.status
    top_up.status = status
    top_up.ended_at = now
    top_up.save(update_fields=["status", "ended_at"])
    _note(actor, top_up, action, before, now=now)
    return top_up


def _new_receipt(actor: Actor, line: BankLine, *, now: datetime) -> BankReceipt:
    receipt = steps.new_receipt(line, now=now)
    try:
        receipt.save(force_insert=True)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise ReceiptKnown(line.bank_reference) from error
    audit.record_all([steps.recorded(actor, receipt, now=now)])
    return receipt


def _check_fit(actor: Actor, top_up: TopUp, received: Money) -> None:
    rules.check_move(TopUpStatus(top_up.status), TopUpStatus.CONFIRMED)
    announced = Money(top_up.amount_minor, top_up.currency)
    if received != announced:
        raise AmountMismatch(announced=announced, received=received)
    if steps.is_own(actor, top_up):
        raise OwnTopUp


def _confirmed_by_line(top_up: TopUp, line: BankLine) -> bool:
    return BankReceipt.objects.filter(
        top_up=top_up,
        bank_reference=line.bank_reference,
        amount_minor=line.amount.amount_minor,
        currency=line.amount.currency,
    ).exists()


def _note(
    actor: Actor, top_up: TopUp, action: str, before: str | None, *, now: datetime, bank_reference: str = ""
) -> None:
    record, told = steps.changed(actor, top_up, action, before, now=now, bank_reference=bank_reference)
    audit.record_all([record])
    events.emit_all([told])
