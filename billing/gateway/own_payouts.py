"""What Stripe sends from our balance to our bank: posted when paid (1020 against 1010), reversed when it fails."""

from datetime import datetime

from django.db import transaction

from billing.gateway import balance, facts, rules, stripe
from billing.gateway.models import StripePayout
from billing.gateway.rules import OWN_PAYOUT_MOVES, OwnPayoutStatus
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit


def refresh(stripe_id: str, *, now: datetime) -> StripePayout:
    """Look at one payout of our own balance; raises NoSuchObject, OutcomeUnknown and GatewayAbsent."""
    return _known(stripe.from_settings().payout(stripe_id), now=now)


def discover(*, now: datetime) -> list[StripePayout]:
    """Look at every payout of our own balance of the last days. Safe to repeat."""
    return [_known(seen, now=now) for seen in stripe.from_settings().payouts(since=now - rules.OWN_PAYOUT_LOOK_BACK)]


def _known(seen: facts.Payout, *, now: datetime) -> StripePayout:
    before = StripePayout.objects.filter(stripe_id=seen.id).values_list("status", flat=True).first()
    row = take(seen, now=now)
    if row.is_automatic and row.status == OwnPayoutStatus.PAID and before != OwnPayoutStatus.PAID:
        balance.attribute(seen.id, now=now)
    return row


@transaction.atomic
def take(seen: facts.Payout, *, now: datetime) -> StripePayout:
    """Store a payout, or move it forward to what was seen, and post what that means."""
    row, _ = StripePayout.objects.select_for_update(no_key=True).get_or_create(
        stripe_id=seen.id,
        defaults={
            "amount_minor": seen.amount_minor,
            "currency": seen.currency,
            "is_automatic": seen.automatic,
            "status": OwnPayoutStatus.PENDING,
            "created_at": seen.created_at,
            "arrives_on": seen.arrives_on,
        },
    )
    status = OwnPayoutStatus(seen.status)
    if status not in OWN_PAYOUT_MOVES[OwnPayoutStatus(row.status)]:
        return row
    if status is OwnPayoutStatus.PAID:
        row.transaction = ledger.post(
            Source("stripe_payout", row.id, "paid"),
            [debit(Code.BANK, row.amount_minor), credit(Code.STRIPE_AVAILABLE, row.amount_minor)],
            currency=row.currency,
            effective_at=now,
            now=now,
            memo=f"Stripe payout {row.stripe_id}",
        )
    elif row.transaction_id is not None:
        ledger.reverse(row.transaction_id, now=now, memo=f"Stripe payout {row.stripe_id} came back")
    row.status, row.failure = status, seen.failure_code[:120]
    row.save(update_fields=["status", "failure", "transaction"])
    return row
