"""Money in suspense that belongs to several top-ups, or to nobody: split, or sent back.

Rows are locked in one order: the top-ups by id, the bank receipt, then the ledger's accounts.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payments import queries, services
from billing.payments.errors import NoSuchReceipt, PartsDiffer, ReceiptMatched
from billing.payments.models import BankReceipt, ReceiptPart
from billing.payments.rules import ReceiptStatus
from catalog.measures.money import Money, format_minor


@transaction.atomic
def split(actor: Actor, receipt_id: UUID, top_up_ids: Sequence[UUID], *, now: datetime) -> BankReceipt:
    """Confirm several top-ups with one transfer, which must be exactly their sum.

    Raises PartsDiffer, OwnTopUp, ReceiptMatched, TopUpMoveRefused, NoSuchTopUp and NoSuchReceipt.
    """
    actor.require(Capability.OPERATE_BOOKS)
    wanted = sorted(set(top_up_ids))
    top_ups = [queries.locked_top_up(actor, top_up_id) for top_up_id in wanted]
    receipt = _waiting(receipt_id)
    total = sum(top_up.amount_minor for top_up in top_ups)
    if total != receipt.amount_minor or any(top_up.currency != receipt.currency for top_up in top_ups):
        received = Money(receipt.amount_minor, receipt.currency)
        raise PartsDiffer(received=received, together=Money(total, receipt.currency))
    for top_up in top_ups:
        services.credit_part(actor, top_up, bank_reference=receipt.bank_reference, now=now)
    ReceiptPart.objects.bulk_create(
        ReceiptPart(receipt=receipt, top_up=top_up, amount_minor=top_up.amount_minor) for top_up in top_ups
    )
    _end(actor, receipt, ReceiptStatus.SPLIT, {"parts": [top_up.reference for top_up in top_ups]}, now=now)
    return receipt


@transaction.atomic
def give_back(actor: Actor, receipt_id: UUID, *, reason: str, now: datetime) -> BankReceipt:
    """Note that money in suspense was sent back to its payer. Raises ReceiptMatched and NoSuchReceipt."""
    actor.require(Capability.OPERATE_BOOKS)
    receipt = _waiting(receipt_id)
    ledger.post(
        Source("bank_receipt", receipt.id, "return"),
        [debit(Code.SUSPENSE, receipt.amount_minor), credit(Code.BANK, receipt.amount_minor)],
        currency=receipt.currency,
        effective_at=now,
        now=now,
        memo=f"Bank receipt {receipt.bank_reference} sent back",
    )
    _end(actor, receipt, ReceiptStatus.RETURNED, {"reason": reason}, now=now)
    return receipt


def _waiting(receipt_id: UUID) -> BankReceipt:
    receipt = BankReceipt.objects.select_for_update(no_key=True).filter(id=receipt_id).first()
    if receipt is None:
        raise NoSuchReceipt
    if receipt.status != ReceiptStatus.UNMATCHED:
        raise ReceiptMatched
    return receipt


def _end(actor: Actor, receipt: BankReceipt, status: ReceiptStatus, more: dict[str, object], *, now: datetime) -> None:
    receipt.status, receipt.matched_at = status, now
    receipt.save(update_fields=["status", "matched_at"])
    after = {"status": str(status), "amount": format_minor(receipt.amount_minor, receipt.currency), **more}
    before = {"status": ReceiptStatus.UNMATCHED.value}
    audit.record(actor, f"bank_receipt.{status}", "bank_receipt", receipt.id, before, after, now=now)
    told = {"bank_receipt": ids.spell("rcp", receipt.id), "status": str(status)}
    events.emit(f"bank_receipt.{status}", "bank_receipt", receipt.id, None, told, now=now)
