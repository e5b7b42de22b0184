"""What a provider is to be paid next: the one payout that takes in what is set free."""

from datetime import datetime
from uuid import UUID

from billing.payouts.models import DisputeHold, Payout, PayoutItem, ProviderBalance, StatementRelease
from billing.payouts.rules import ItemPart, PayoutStatus


def locked_balance(organisation_id: UUID, currency: str) -> ProviderBalance:
    """Lock a provider's balance, the first of its rows to be locked; every step with its payouts goes by it."""
    key = {"organisation_id": organisation_id, "currency": currency}
    ProviderBalance.objects.bulk_create([ProviderBalance(**key)], ignore_conflicts=True)
    return ProviderBalance.objects.select_for_update(no_key=True).get(**key)


def open_payout(organisation_id: UUID, currency: str, *, now: datetime) -> Payout:
    """Return the payout that accrues, opening one when there is none; the provider's balance is locked by it."""
    locked_balance(organisation_id, currency)
    accruing = Payout.objects.filter(organisation_id=organisation_id, currency=currency, status=PayoutStatus.ACCRUING)
    return accruing.first() or Payout.objects.create(
        organisation_id=organisation_id, currency=currency, status=PayoutStatus.ACCRUING, opened_at=now
    )


def add(payout: Payout, release: StatementRelease, part: ItemPart, amount_minor: int) -> None:
    """Let a payout that accrues pay a part of a statement; negative where the provider owes."""
    PayoutItem.objects.create(payout=payout, release=release, part=part, amount_minor=amount_minor)


def add_hold(payout: Payout, hold: DisputeHold, part: ItemPart, amount_minor: int) -> None:
    """Let a payout that accrues pay less for a dispute, or pay what one had held."""
    PayoutItem.objects.create(
        payout=payout, release_id=hold.release_id, hold=hold, part=part, amount_minor=amount_minor
    )


def give_on(payout: Payout, *, now: datetime) -> None:
    """Let the next payout pay what a failed one did not; the failed one keeps its list."""
    following = open_payout(payout.organisation_id, payout.currency, now=now)
    items = list(payout.items.filter(given_on_at__isnull=True))
    payout.items.filter(given_on_at__isnull=True).update(given_on_at=now)
    PayoutItem.objects.bulk_create(
        PayoutItem(
            payout=following,
            release_id=item.release_id,
            hold_id=item.hold_id,
            part=item.part,
            amount_minor=item.amount_minor,
        )
        for item in items
    )
