"""A payer's bank takes a charge back: the exchange bears it until the dispute is won."""

from datetime import datetime

from django.db import transaction

from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.cards import rules
from billing.cards.models import CardDispute, CardPayment
from billing.cards.rules import DISPUTE_MOVES, DisputeStatus
from billing.cards.services import ACTOR, refresh_by_intent
from billing.gateway import facts, stripe
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from catalog.measures.money import format_minor


def refresh(stripe_id: str, *, now: datetime) -> bool:
    """Fetch a dispute and note where it stands; False when its charge is none of ours. Raises OutcomeUnknown."""
    return _known(stripe.from_settings().dispute(stripe_id), now=now)


def discover(*, since: datetime, now: datetime) -> int:
    """Look for disputes that no message told of; returns how many there are."""
    return sum(_known(seen, now=now) for seen in stripe.from_settings().disputes(since=since))


def _known(seen: facts.Dispute, *, now: datetime) -> bool:
    if not CardPayment.objects.filter(charge_id=seen.charge_id).exists():
        # The message of the dispute may come before that of its payment.
        refresh_by_intent(seen.intent_id, now=now)
    return take(seen, now=now)


@transaction.atomic
def take(seen: facts.Dispute, *, now: datetime) -> bool:
    """Post the loss when a dispute is first seen, and its way back when it is won; False without a payment of ours."""
    payment = CardPayment.objects.select_for_update(no_key=True).filter(charge_id=seen.charge_id).first()
    if payment is None or not seen.charge_id:
        return False
    status = rules.dispute_status(seen.status)
    dispute = CardDispute.objects.filter(stripe_id=seen.id).first()
    if dispute is None and status is not None:
        dispute = _open(payment, seen, now=now)
    if dispute is None or status is None or status not in DISPUTE_MOVES[DisputeStatus(dispute.status)]:
        return True
    if status is DisputeStatus.WON:
        ledger.reverse(dispute.transaction_id, now=now, memo=f"Dispute {seen.id} won")
    before = dispute.status
    dispute.status, dispute.closed_at = status, now
    dispute.save(update_fields=["status", "closed_at"])
    _note(dispute, before, now=now)
    return True


def _open(payment: CardPayment, seen: facts.Dispute, *, now: datetime) -> CardDispute:
    dispute_id = ids.new_id()
    posting = ledger.post(
        Source("card_dispute", dispute_id, "open"),
        [debit(Code.BAD_DEBT, seen.amount_minor), credit(Code.STRIPE_CLEARING, seen.amount_minor)],
        currency=seen.currency,
        effective_at=now,
        now=now,
        memo=f"Dispute {seen.id}",
    )
    dispute = CardDispute.objects.create(
        id=dispute_id,
        payment=payment,
        stripe_id=seen.id,
        amount_minor=seen.amount_minor,
        currency=seen.currency,
        reason=seen.reason[:60],
        status=DisputeStatus.OPEN,
        transaction=posting,
        opened_at=now,
    )
    _note(dispute, None, now=now)
    return dispute


def _note(dispute: CardDispute, before: str | None, *, now: datetime) -> None:
    told = {
        "card_payment": ids.spell("pay", dispute.payment_id),
        "amount": format_minor(dispute.amount_minor, dispute.currency),
        "currency": dispute.currency,
        "status": str(dispute.status),
        "reason": dispute.reason,
    }
    audit.record(
        ACTOR,
        "card_dispute.change",
        "card_dispute",
        dispute.id,
        None if before is None else {"status": str(before)},
        told,
        now=now,
        organisation_id=dispute.payment.organisation_id,
    )
    # For staff: the payer's side of it is between the payer and its bank.
    events.emit(f"card_dispute.{dispute.status}", "card_dispute", dispute.id, None, told, now=now)
