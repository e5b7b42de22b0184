"""Money of a card payment goes back to its card: out of the wallet when it is sent, into it again when it fails."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.jobs import services as jobs
from billing.cards import queries
from billing.cards.errors import (
    NoSuchCardPayment,
    NoSuchRefund,
    NotRefundable,
    OwnRefund,
    RefundMoveRefused,
    RefundTooLarge,
)
from billing.cards.models import CardPayment, CardRefund
from billing.cards.rules import REFUND_MOVES, PaymentPurpose, PaymentStatus, RefundStatus
from billing.cards.services import ACTOR
from billing.gateway import facts, stripe
from billing.gateway import services as gateway
from billing.gateway.rules import CallState, Operation
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from catalog.measures.money import Money, format_minor

PUSH_REFUND: Final = "push_card_refund"


@transaction.atomic
def request(actor: Actor, payment_id: UUID, amount: Money, *, reason: str, now: datetime) -> CardRefund:
    """Ask for money of a top-up to go back; above the limit it waits for a second person, else it is sent.

    Raises NoSuchCardPayment, NotRefundable, RefundTooLarge, and InsufficientFunds when the wallet has spent it.
    """
    actor.require(Capability.OPERATE_BOOKS)
    payment = CardPayment.objects.select_for_update(no_key=True).filter(id=payment_id).first()
    if payment is None:
        raise NoSuchCardPayment
    if payment.status != PaymentStatus.SUCCEEDED or payment.purpose != PaymentPurpose.TOP_UP:
        raise NotRefundable(purpose=payment.purpose, status=payment.status)
    left = payment.amount_minor - payment.refunded_minor
    if amount.amount_minor > left or amount.currency != payment.currency:
        raise RefundTooLarge(wanted=amount, left=Money(left, payment.currency))
    alone_up_to = queries.refund_alone_up_to_minor(payment.currency, now=now)
    payment.refunded_minor += amount.amount_minor
    payment.save(update_fields=["refunded_minor"])
    refund = CardRefund.objects.create(
        payment=payment,
        amount_minor=amount.amount_minor,
        alone_up_to_minor=alone_up_to,
        status=RefundStatus.REQUESTED,
        reason=reason,
        requested_by_id=actor.user_id,
        created_at=now,
    )
    _note(actor, refund, None, now=now)
    if amount.amount_minor <= alone_up_to:
        _send(actor, refund, now=now)
    return refund


@transaction.atomic
def approve(actor: Actor, refund_id: UUID, *, now: datetime) -> CardRefund:
    """Send a refund that a colleague asked for; raises NoSuchRefund, OwnRefund, InsufficientFunds and others."""
    actor.require(Capability.APPROVE_BOOKS)
    refund = _locked(refund_id)
    _check(refund, RefundStatus.SENT)
    if actor.user_id is None or actor.user_id == refund.requested_by_id:
        raise OwnRefund
    refund.approved_by_id = actor.user_id
    _send(actor, refund, now=now)
    return refund


@transaction.atomic
def decline(actor: Actor, refund_id: UUID, *, now: datetime) -> CardRefund:
    """Say no to a refund that was asked for. Raises NoSuchRefund and RefundMoveRefused."""
    actor.require(Capability.APPROVE_BOOKS, Capability.OPERATE_BOOKS)
    refund = _locked(refund_id)
    _check(refund, RefundStatus.DECLINED)
    _give_back_room(refund)
    _move(actor, refund, RefundStatus.DECLINED, now=now)
    return refund


def push(refund_id: UUID, *, now: datetime) -> CardRefund:
    """Have Stripe send a refund, then note what became of it; outside every transaction, safe to repeat."""
    call = gateway.perform(Operation.REFUND, "card_refund", refund_id, now=now)
    if call.state == CallState.REFUSED:
        return take(refund_id, None, failure=call.refusal or call.refusal_code, now=now)
    return take(refund_id, stripe.from_settings().refund(call.object_id), now=now)


def refresh_by_stripe_id(stripe_id: str, *, now: datetime) -> bool:
    """Look at a refund again; False when it is none of ours."""
    found = CardRefund.objects.filter(stripe_id=stripe_id).first() if stripe_id else None
    if found is not None:
        take(found.id, stripe.from_settings().refund(stripe_id), now=now)
    return found is not None


@transaction.atomic
def take(refund_id: UUID, seen: facts.Refund | None, *, failure: str = "", now: datetime) -> CardRefund:
    """Move a refund as far forward as what was fetched says; one that failed is in the wallet again."""
    refund = _locked(refund_id)
    if seen is not None:
        refund.stripe_id = seen.id
        refund.save(update_fields=["stripe_id"])
    if seen is not None and seen.status == "succeeded":
        wanted = RefundStatus.SUCCEEDED
    elif seen is None or seen.status in {"failed", "canceled"}:
        wanted = RefundStatus.FAILED
    else:
        return refund
    if wanted not in REFUND_MOVES[RefundStatus(refund.status)]:
        return refund
    if wanted is RefundStatus.FAILED:
        assert refund.transaction_id is not None
        refund.failure = (failure or (seen.failure_reason if seen else ""))[:300]
        ledger.reverse(refund.transaction_id, now=now, memo="Refund came back")
        _give_back_room(refund)
    _move(ACTOR, refund, wanted, now=now)
    return refund


def _send(actor: Actor, refund: CardRefund, *, now: datetime) -> None:
    payment = refund.payment
    refund.transaction = ledger.post(
        Source("card_refund", refund.id, "send"),
        [
            debit(Code.WALLET, refund.amount_minor, payment.organisation_id),
            credit(Code.STRIPE_CLEARING, refund.amount_minor),
        ],
        currency=payment.currency,
        effective_at=now,
        now=now,
        memo=f"Refund of card payment {ids.spell('pay', payment.id)}",
    )
    asked = {"charge": payment.charge_id, "amount": refund.amount_minor}
    gateway.intend(Operation.REFUND, "card_refund", refund.id, asked, now=now)
    jobs.enqueue(PUSH_REFUND, str(refund.id), now=now)
    _move(actor, refund, RefundStatus.SENT, now=now)


def _give_back_room(refund: CardRefund) -> None:
    payment = refund.payment
    payment.refunded_minor -= refund.amount_minor
    payment.save(update_fields=["refunded_minor"])


def _locked(refund_id: UUID) -> CardRefund:
    payment_id = CardRefund.objects.filter(id=refund_id).values_list("payment_id", flat=True).first()
    if payment_id is None:
        raise NoSuchRefund
    payment = CardPayment.objects.select_for_update(no_key=True).get(id=payment_id)
    refund = CardRefund.objects.select_for_update(no_key=True).get(id=refund_id)
    refund.payment = payment
    return refund


def _check(refund: CardRefund, wanted: RefundStatus) -> None:
    if wanted not in REFUND_MOVES[RefundStatus(refund.status)]:
        raise RefundMoveRefused(refund.status, wanted)


def _move(actor: Actor, refund: CardRefund, status: RefundStatus, *, now: datetime) -> None:
    before = refund.status
    refund.status = status
    refund.save(update_fields=["status", "failure", "approved_by", "transaction"])
    _note(actor, refund, before, now=now)


def _note(actor: Actor, refund: CardRefund, before: str | None, *, now: datetime) -> None:
    payment = refund.payment
    told = {
        "refund": ids.spell("rfd", refund.id),
        "card_payment": ids.spell("pay", payment.id),
        "amount": format_minor(refund.amount_minor, payment.currency),
        "currency": payment.currency,
        "status": str(refund.status),
    }
    audit.record(
        actor,
        "card_refund.request" if before is None else "card_refund.change",
        "card_refund",
        refund.id,
        None if before is None else {"status": str(before)},
        told | {"reason": refund.reason},
        now=now,
        organisation_id=payment.organisation_id,
    )
    events.emit(f"card_refund.{refund.status}", "card_refund", refund.id, payment.organisation_id, told, now=now)
