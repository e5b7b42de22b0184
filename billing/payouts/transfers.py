"""Payouts through Stripe: sent to the provider's account there, and followed until its bank has them or they are back.

Where the money is says the transfer of `billing.connect`; what is owed, in transit or gone say the postings here:

| what happened at Stripe | posting |
|---|---|
| nothing yet | 2110 to 2190, as for every payout that is sent |
| the transfer left our balance | 2190 to 1010 |
| some or all of it was fetched back | 1010 to 2190 |
| Stripe refused it, or all of it is back | 2190 to 2110: it has failed, and the next payout pays it |

What the provider's bank sends back lies in the provider's Stripe balance, and is fetched back from there at once.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from accounts.actors.actor import Actor
from accounts.foundation.failures import Failures
from billing.connect import queries as accounts
from billing.connect import services as connect
from billing.connect.errors import NoSuchTransfer
from billing.connect.models import ConnectedAccount, ConnectTransfer
from billing.connect.rules import ReversalStatus, TransferStatus
from billing.gateway import stripe
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import LedgerEntry
from billing.ledger.rules import Source, credit, debit
from billing.payouts import steps
from billing.payouts.errors import DestinationHeld
from billing.payouts.models import Payout
from billing.payouts.rules import DESTINATION_HOLD, PayoutMethod, PayoutStatus
from catalog.measures.money import Money

ACTOR: Final = Actor.system("payouts")
_BACK: Final = "fetched_back_"  # and how much was back by then: no amount is posted twice


def account_of(organisation_id: UUID) -> ConnectedAccount | None:
    """Return the Stripe account that a provider is paid through; None where the bank pays it."""
    if not stripe.from_settings().configured():
        return None
    return accounts.payable_account(organisation_id)


def for_the_bank(payouts: QuerySet[Payout]) -> QuerySet[Payout]:
    """Return those of some payouts whose providers are not paid through Stripe."""
    if not stripe.from_settings().configured():
        return payouts
    return payouts.exclude(organisation_id__in=accounts.payable_organisations())


def held_until(account: ConnectedAccount) -> datetime:
    """Return from when on payouts may go to an account: it is held after every change of its state."""
    return account.changed_at + DESTINATION_HOLD


def send(actor: Actor, payout: Payout, account: ConnectedAccount, *, now: datetime) -> None:
    """Set a locked payout on its way to a Stripe account; a job makes the transfer.

    Raises DestinationHeld within 72 hours of a change of the account, NotOnboarded when it has just changed.
    """
    transfer = connect.send(
        actor, payout.id, payout.organisation_id, Money(payout.amount_minor, payout.currency), now=now
    )
    # Read again under the account's lock, which `send` holds by now.
    account = transfer.account
    if now < held_until(account):
        raise DestinationHeld(held_until(account))
    payout.status, payout.method = PayoutStatus.IN_TRANSIT, PayoutMethod.STRIPE
    payout.destination_changed_at = account.changed_at
    payout.sent_at, payout.sent_by_id = now, steps.person(actor)
    payout.save(update_fields=["status", "method", "destination_changed_at", "sent_at", "sent_by"])
    steps.post_sent(payout, now=now)
    steps.tell(actor, payout, "send", PayoutStatus.APPROVED, now=now)


@transaction.atomic
def follow(payout_id: UUID, *, now: datetime) -> Payout:
    """Bring a payout to where its transfer is; safe to repeat, and whatever was missed before is made up for."""
    payout = steps.locked(payout_id)
    transfer = connect.locked_transfer_of(payout.id)
    if transfer.transfer_stripe_id and ledger.posted(Source("payout", payout.id, "transfer")) is None:
        lines = [
            debit(Code.PAYOUTS_IN_TRANSIT, payout.amount_minor),
            credit(Code.STRIPE_AVAILABLE, payout.amount_minor),
        ]
        steps.post(payout, "transfer", lines, now=now)
    back = transfer.reversed_minor - _posted_back(payout)
    if back:
        lines = [debit(Code.STRIPE_AVAILABLE, back), credit(Code.PAYOUTS_IN_TRANSIT, back)]
        steps.post(payout, f"{_BACK}{transfer.reversed_minor}", lines, now=now)
    if (
        transfer.status in {TransferStatus.PAYOUT_FAILED, TransferStatus.REVERSED}
        and payout.status == PayoutStatus.PAID
    ):
        _came_back(payout, now=now)
    if payout.status != PayoutStatus.IN_TRANSIT:
        return payout
    if transfer.status in {TransferStatus.FAILED, TransferStatus.REVERSED}:
        why = transfer.failure or "Stripe has it back."
        steps.end(ACTOR, payout, PayoutStatus.FAILED, failure=why, now=now)
    elif transfer.status == TransferStatus.PAID:
        payout.bank_reference = transfer.payout_stripe_id
        steps.end(ACTOR, payout, PayoutStatus.PAID, now=now)
    elif transfer.status == TransferStatus.PAYOUT_FAILED and not _asked_back(transfer):
        _fetch_back(ACTOR, transfer, now=now)
    return payout


def _came_back(payout: Payout, *, now: datetime) -> None:
    payout.status, payout.ended_at, payout.bank_reference = PayoutStatus.IN_TRANSIT, None, ""
    payout.save(update_fields=["status", "ended_at", "bank_reference"])
    steps.tell(ACTOR, payout, "come_back", PayoutStatus.PAID, now=now)


def _asked_back(transfer: ConnectTransfer) -> bool:
    """Tell whether what is left of a transfer is being fetched back, or Stripe would not give exactly that back."""
    left = transfer.amount_minor - transfer.reversed_minor
    under_way = Q(status=ReversalStatus.PREPARING)
    return transfer.reversals.filter(under_way | Q(status=ReversalStatus.REFUSED, amount_minor=left)).exists()


def transfer_of(payout: Payout) -> ConnectTransfer | None:
    """Return what was sent through Stripe for a payout; None when it went, or will go, by the bank."""
    return accounts.transfer_of(payout.id) if payout.method == PayoutMethod.STRIPE else None


@transaction.atomic
def fetch_back(actor: Actor, payout_id: UUID, *, now: datetime) -> None:
    """Ask again for what the provider's bank sent back; raises NoSuchPayout, NoSuchTransfer and NothingToReverse."""
    payout = steps.locked(payout_id)
    if payout.method != PayoutMethod.STRIPE:
        raise NoSuchTransfer
    _fetch_back(actor, connect.locked_transfer_of(payout.id), now=now)


def _fetch_back(actor: Actor, transfer: ConnectTransfer, *, now: datetime) -> None:
    left = Money(transfer.amount_minor - transfer.reversed_minor, transfer.currency)
    connect.reverse(actor, transfer.id, left, now=now)


def refresh_by_stripe_id(stripe_id: str, *, now: datetime) -> bool:
    """Look at the transfer with this id, or with this payout's, and follow it; False when there is none of ours."""
    known = connect.refresh_by_stripe_id(stripe_id, now=now)
    if known:
        found = ConnectTransfer.objects.get(Q(transfer_stripe_id=stripe_id) | Q(payout_stripe_id=stripe_id))
        follow(found.payout_id, now=now)
    return known


def follow_all(*, now: datetime) -> int:
    """Follow every payout whose transfer may have gone further; returns how many were looked at. The sweeper."""
    failures = Failures()
    sent = Payout.objects.filter(method=PayoutMethod.STRIPE)
    came_back = ConnectTransfer.objects.filter(status__in=[TransferStatus.PAYOUT_FAILED, TransferStatus.REVERSED])
    waiting = sent.filter(
        Q(status=PayoutStatus.IN_TRANSIT) | Q(status=PayoutStatus.PAID, id__in=came_back.values("payout_id"))
    )
    found = list(waiting.order_by("organisation_id", "id").values_list("id", flat=True))
    for payout_id in found:
        with failures.kept(f"following payout {payout_id}"):
            follow(payout_id, now=now)
    failures.raise_any()
    return len(found)


def _posted_back(payout: Payout) -> int:
    """Return how much of a payout the books have back in our Stripe balance."""
    posted = LedgerEntry.objects.filter(
        transaction__source_type="payout", transaction__source_id=payout.id,
        transaction__purpose__startswith=_BACK, account__code=Code.STRIPE_AVAILABLE,
    )  # fmt: skip
    return posted.aggregate(total=Sum("amount_minor"))["total"] or 0
