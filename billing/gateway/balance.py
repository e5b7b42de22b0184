"""Our Stripe balance as Stripe shows it: pulled, kept, and its fees and availability posted.

What brought or took money posts its gross amount to 1000 (pending) itself. From the row of the balance follow the fee
(5000 against 1000) and, once Stripe lets us use it, the net amount's way from 1000 to 1010. Money that we sent was
taken from 1010 by whoever sent it.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from billing.gateway import facts, rules, stripe
from billing.gateway.models import BalanceTransaction
from billing.gateway.rules import MovementStatus
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Line, Source, credit, debit

_PENDING: Final = (MovementStatus.PENDING.value,)


def pull(*, now: datetime) -> int:
    """Read what is new in the balance, and look again at what was pending; returns how many rows were new or changed.

    Safe to repeat: a row is stored once, and its fee and its availability are posted once. Raises OutcomeUnknown
    and GatewayAbsent.
    """
    gateway = stripe.from_settings()
    newest = BalanceTransaction.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    since = None if newest is None else newest - rules.OVERLAP
    changed = sum(take(movement, now=now) for movement in gateway.movements(since=since))
    due = BalanceTransaction.objects.filter(status__in=_PENDING, available_on__lte=now).order_by("id")
    for stripe_id in list(due.values_list("stripe_id", flat=True)):
        changed += take(gateway.movement(stripe_id), now=now)
    return changed


def attribute(payout_id: str, *, now: datetime) -> int:
    """Note which rows of the balance an automatic payout took to the bank; returns how many there are."""
    movements = [row for row in stripe.from_settings().movements(payout_id=payout_id) if row.source_id != payout_id]
    for movement in movements:
        take(movement, now=now)
    named = [movement.id for movement in movements]
    return BalanceTransaction.objects.filter(stripe_id__in=named).update(payout_id=payout_id)


@transaction.atomic
def take(movement: facts.Movement, *, now: datetime) -> bool:
    """Store a row of the balance, or note that it has become available; False when nothing is new."""
    row, is_new = BalanceTransaction.objects.select_for_update(no_key=True).get_or_create(
        stripe_id=movement.id,
        defaults={
            "amount_minor": movement.amount_minor,
            "fee_minor": movement.fee_minor,
            "net_minor": movement.net_minor,
            "currency": movement.currency,
            "type": movement.type,
            "reporting_category": movement.reporting_category,
            "source_id": movement.source_id,
            "description": movement.description[:300],
            "status": MovementStatus.PENDING.value,
            "available_on": movement.available_on,
            "created_at": movement.created_at,
            "pulled_at": now,
        },
    )
    if is_new and row.fee_minor:
        _post(
            row, "fee", debit(Code.PROCESSING_FEES, row.fee_minor), credit(Code.STRIPE_CLEARING, row.fee_minor), now=now
        )
    if movement.status != MovementStatus.AVAILABLE or row.status == MovementStatus.AVAILABLE:
        return is_new
    row.status = MovementStatus.AVAILABLE
    row.save(update_fields=["status"])
    if row.net_minor and row.reporting_category not in rules.SENT_BY_US:
        into, out_of = debit(Code.STRIPE_AVAILABLE, row.net_minor), credit(Code.STRIPE_CLEARING, row.net_minor)
        _post(row, "available", into, out_of, now=now)
    return True


def _post(row: BalanceTransaction, purpose: str, *lines: Line, now: datetime) -> None:
    ledger.post(
        Source("balance_transaction", row.id, purpose),
        lines,
        currency=row.currency,
        effective_at=now,
        now=now,
        memo=f"Stripe {row.stripe_id}",
    )
