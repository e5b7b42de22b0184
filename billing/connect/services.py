"""Providers are taken on at Stripe, and what was approved for them is sent there.

For one approved payout `billing.payouts.transfers` calls `send` in the transaction that sets it on its way, and then
follows its status. Nothing is posted here: the payout posts what it sends, and takes the posting back when it has
failed. A row is locked after its payout's.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.jobs import services as jobs
from accounts.organisations.models import Organisation
from billing.connect.errors import (
    NoSuchStripeAccount,
    NoSuchTransfer,
    NothingToReverse,
    NotOnboarded,
    ReversalTooLarge,
)
from billing.connect.models import ConnectedAccount, ConnectTransfer, OnboardingLink, TransferReversal
from billing.connect.rules import TRANSFER_MOVES, OnboardingStatus, ReversalStatus, TransferStatus
from billing.gateway import services as gateway
from billing.gateway import stripe
from billing.gateway.errors import GatewayAbsent
from billing.gateway.models import GatewayCall
from billing.gateway.rules import CallState, Operation
from catalog.measures.money import Money, format_minor

SEND_TRANSFER: Final = "send_transfer"
REVERSE_TRANSFER: Final = "reverse_transfer"
OPEN_ACCOUNT: Final = "open_stripe_account"
ACTOR: Final = Actor.system("connect")

# --- Taking a provider on ----------------------------------------------------------------------


@transaction.atomic
def open_account(actor: Actor, *, now: datetime) -> ConnectedAccount:
    """Have an account made for the actor's organisation; a second time returns the first. Raises GatewayAbsent."""
    actor.require(Capability.LIST)
    if not stripe.from_settings().configured():
        raise GatewayAbsent
    # The organisation's row: two people of one provider make one account.
    organisation = Organisation.objects.select_for_update(no_key=True).get(id=actor.organisation())
    before = ConnectedAccount.objects.filter(organisation=organisation).first()
    if before is not None:
        return before
    account = ConnectedAccount.objects.create(
        organisation=organisation, status=OnboardingStatus.PREPARING, created_at=now, changed_at=now
    )
    asked: dict[str, Any] = {
        "type": "express",
        "country": organisation.country,
        "capabilities": {"transfers": {"requested": True}},
        # What is sent to the bank, and when, is decided here.
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        "metadata": {"organisation": ids.spell("org", organisation.id)},
    }
    gateway.intend(Operation.CONNECT_ACCOUNT, "connected_account", account.id, asked, now=now)
    jobs.enqueue(OPEN_ACCOUNT, str(account.id), now=now)
    _note_account(actor, account, None, now=now)
    return account


def finish_opening(account_id: UUID, *, now: datetime) -> ConnectedAccount:
    """Make the account at Stripe and keep its id; outside every transaction, safe to repeat. Raises OutcomeUnknown."""
    call = gateway.perform(Operation.CONNECT_ACCOUNT, "connected_account", account_id, now=now)
    with transaction.atomic():
        account = ConnectedAccount.objects.select_for_update(no_key=True).get(id=account_id)
        if account.status == OnboardingStatus.PREPARING:
            account.stripe_id = call.object_id if call.state == CallState.DONE else ""
            wanted = OnboardingStatus.ONBOARDING if call.state == CallState.DONE else OnboardingStatus.REFUSED
            _stand(account, wanted, now=now)
        return account


@transaction.atomic
def ask_for_link(actor: Actor, *, return_to: str, now: datetime) -> OnboardingLink:
    """Intend a page where the actor's organisation tells Stripe about itself; `link_url` makes it.

    Raises NoSuchStripeAccount.
    """
    actor.require(Capability.LIST)
    account = ConnectedAccount.objects.filter(organisation_id=actor.organisation()).exclude(stripe_id="").first()
    if account is None:
        raise NoSuchStripeAccount
    link = OnboardingLink.objects.create(account=account, created_at=now)
    asked = {
        "account": account.stripe_id,
        "refresh_url": return_to,
        "return_url": return_to,
        "type": "account_onboarding",
    }
    gateway.intend(Operation.CONNECT_LINK, "onboarding_link", link.id, asked, now=now)
    return link


def link_url(link_id: UUID, *, now: datetime) -> str:
    """Make the page and return its address, empty when Stripe refuses. Raises OutcomeUnknown."""
    return gateway.perform(Operation.CONNECT_LINK, "onboarding_link", link_id, now=now).object_url


def refresh_account(stripe_id: str, *, now: datetime) -> bool:
    """Look at an account at Stripe and note whether it can be paid; False when it is none of ours."""
    if not stripe_id or not ConnectedAccount.objects.filter(stripe_id=stripe_id).exists():
        return False
    seen = stripe.from_settings().connected_account(stripe_id)
    with transaction.atomic():
        account = ConnectedAccount.objects.select_for_update(no_key=True).get(stripe_id=stripe_id)
        enabled = seen.details_submitted and seen.payouts_enabled and seen.transfers_active
        _stand(account, OnboardingStatus.ENABLED if enabled else OnboardingStatus.ONBOARDING, now=now)
    return True


def _stand(account: ConnectedAccount, status: OnboardingStatus, *, now: datetime) -> None:
    if account.status == status:
        return
    before = account.status
    account.status, account.changed_at = status, now
    account.save(update_fields=["stripe_id", "status", "changed_at"])
    _note_account(ACTOR, account, before, now=now)


def _note_account(actor: Actor, account: ConnectedAccount, before: str | None, *, now: datetime) -> None:
    audit.record(
        actor,
        "stripe_account.change",
        "connected_account",
        account.id,
        None if before is None else {"status": str(before)},
        {"status": str(account.status), "stripe_account": account.stripe_id},
        now=now,
        organisation_id=account.organisation_id,
    )
    told = {"status": str(account.status)}
    events.emit("stripe_account.changed", "connected_account", account.id, account.organisation_id, told, now=now)


# --- Sending -----------------------------------------------------------------------------------


@transaction.atomic
def send(actor: Actor, payout_id: UUID, organisation_id: UUID, amount: Money, *, now: datetime) -> ConnectTransfer:
    """Set money for one approved payout on its way to a provider: a transfer, then a payout to its bank.

    Only written down here, in the caller's transaction; a job sends it. Once for a payout: a second time returns the
    first. Raises NotOnboarded.
    """
    actor.require(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    assert amount.amount_minor > 0, amount
    account = ConnectedAccount.objects.select_for_update(no_key=True).filter(organisation_id=organisation_id).first()
    if account is None or account.status != OnboardingStatus.ENABLED:
        raise NotOnboarded(account.status if account else None)
    before = ConnectTransfer.objects.filter(payout_id=payout_id).first()
    if before is not None:
        assert (before.amount_minor, before.organisation_id) == (amount.amount_minor, organisation_id), "another payout"
        return before
    transfer = ConnectTransfer.objects.create(
        account=account,
        organisation_id=organisation_id,
        payout_id=payout_id,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        status=TransferStatus.PREPARING,
        created_at=now,
        changed_at=now,
    )
    asked = _amount(transfer) | {"destination": account.stripe_id, "transfer_group": str(payout_id)}
    gateway.intend(Operation.TRANSFER, "connect_transfer", transfer.id, asked, now=now)
    jobs.enqueue(SEND_TRANSFER, str(transfer.id), now=now)
    _note(actor, transfer, None, now=now)
    return transfer


def push(transfer_id: UUID, *, now: datetime) -> ConnectTransfer:
    """Make the transfer, then the payout to the provider's bank; outside every transaction, safe to repeat.

    Raises OutcomeUnknown: the same calls are repeated with their keys.
    """
    call = gateway.perform(Operation.TRANSFER, "connect_transfer", transfer_id, now=now)
    transfer = _after_transfer(transfer_id, call, now=now)
    if transfer.status != TransferStatus.SENT:
        return transfer
    call = gateway.perform(Operation.PAYOUT, "connect_transfer", transfer_id, now=now)
    return _after_payout(transfer_id, call, now=now)


@transaction.atomic
def _after_transfer(transfer_id: UUID, call: GatewayCall, *, now: datetime) -> ConnectTransfer:
    transfer = _locked(transfer_id)
    if transfer.status != TransferStatus.PREPARING:
        return transfer
    if call.state == CallState.REFUSED:
        _move(transfer, TransferStatus.FAILED, failure=call.refusal or call.refusal_code, now=now)
        return transfer
    transfer.transfer_stripe_id = call.object_id
    _move(transfer, TransferStatus.SENT, now=now)
    account = transfer.account.stripe_id
    gateway.intend(Operation.PAYOUT, "connect_transfer", transfer.id, _amount(transfer), account=account, now=now)
    return transfer


@transaction.atomic
def _after_payout(transfer_id: UUID, call: GatewayCall, *, now: datetime) -> ConnectTransfer:
    transfer = _locked(transfer_id)
    if transfer.status != TransferStatus.SENT:
        return transfer
    if call.state == CallState.REFUSED:
        _move(transfer, TransferStatus.PAYOUT_FAILED, failure=call.refusal or call.refusal_code, now=now)
    else:
        transfer.payout_stripe_id = call.object_id
        _move(transfer, TransferStatus.PAYING_OUT, now=now)
    return transfer


def refresh(transfer_id: UUID, *, now: datetime) -> ConnectTransfer:
    """Look at a transfer and its payout at Stripe, and note what has become of them. Raises OutcomeUnknown."""
    transfer = ConnectTransfer.objects.select_related("account").get(id=transfer_id)
    api = stripe.from_settings()
    sent = api.transfer(transfer.transfer_stripe_id) if transfer.transfer_stripe_id else None
    payout = (
        api.payout(transfer.payout_stripe_id, account=transfer.account.stripe_id) if transfer.payout_stripe_id else None
    )
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if payout is not None and payout.status == "paid":
            _move(transfer, TransferStatus.PAID, now=now)
        elif payout is not None and payout.status in {"failed", "canceled"}:
            _move(transfer, TransferStatus.PAYOUT_FAILED, failure=payout.failure_code or payout.status, now=now)
        if sent is not None and sent.reversed_minor > transfer.reversed_minor:
            transfer.reversed_minor = sent.reversed_minor
            transfer.save(update_fields=["reversed_minor"])
        if transfer.reversed_minor == transfer.amount_minor:
            _move(transfer, TransferStatus.REVERSED, failure=transfer.failure, now=now)
    return transfer


def refresh_by_stripe_id(stripe_id: str, *, now: datetime) -> bool:
    """Look at the transfer with this id, or with this payout's; False when there is none of ours."""
    if not stripe_id:
        return False
    found = ConnectTransfer.objects.filter(transfer_stripe_id=stripe_id).first()
    found = found or ConnectTransfer.objects.filter(payout_stripe_id=stripe_id).first()
    if found is not None:
        refresh(found.id, now=now)
    return found is not None


# --- Fetching back -----------------------------------------------------------------------------


@transaction.atomic
def reverse(actor: Actor, transfer_id: UUID, amount: Money, *, now: datetime) -> TransferReversal:
    """Fetch money back from a provider's Stripe balance. Raises NoSuchTransfer, NothingToReverse, ReversalTooLarge."""
    actor.require(Capability.OPERATE_BOOKS)
    transfer = ConnectTransfer.objects.select_for_update(no_key=True).filter(id=transfer_id).first()
    if transfer is None:
        raise NoSuchTransfer
    if transfer.status not in {TransferStatus.SENT, TransferStatus.PAYOUT_FAILED}:
        raise NothingToReverse(transfer.status)
    under_way = transfer.reversals.filter(status=ReversalStatus.PREPARING)
    left = transfer.amount_minor - transfer.reversed_minor - sum(row.amount_minor for row in under_way)
    if amount.amount_minor > left or amount.currency != transfer.currency:
        raise ReversalTooLarge(wanted=amount, left=Money(left, transfer.currency))
    reversal = TransferReversal.objects.create(
        transfer=transfer, amount_minor=amount.amount_minor, status=ReversalStatus.PREPARING, created_at=now
    )
    asked = {"on": transfer.transfer_stripe_id, "amount": amount.amount_minor}
    gateway.intend(Operation.REVERSAL, "transfer_reversal", reversal.id, asked, now=now)
    jobs.enqueue(REVERSE_TRANSFER, str(reversal.id), now=now)
    after = {"amount": format_minor(amount.amount_minor, amount.currency), "currency": amount.currency}
    audit.record(
        actor,
        "connect_transfer.reverse",
        "connect_transfer",
        transfer.id,
        None,
        after,
        now=now,
        organisation_id=transfer.organisation_id,
    )
    return reversal


def push_reversal(reversal_id: UUID, *, now: datetime) -> TransferReversal:
    """Make the reversal at Stripe and count it; outside every transaction, safe to repeat. Raises OutcomeUnknown."""
    call = gateway.perform(Operation.REVERSAL, "transfer_reversal", reversal_id, now=now)
    with transaction.atomic():
        reversal = TransferReversal.objects.select_for_update(no_key=True).get(id=reversal_id)
        if reversal.status == ReversalStatus.PREPARING:
            done = call.state == CallState.DONE
            reversal.status = ReversalStatus.DONE if done else ReversalStatus.REFUSED
            reversal.stripe_id = call.object_id if done else ""
            reversal.failure = call.refusal or call.refusal_code
            reversal.save(update_fields=["status", "stripe_id", "failure"])
    if reversal.status == ReversalStatus.DONE:
        refresh(reversal.transfer_id, now=now)
    return reversal


# --- Shared by the verbs -----------------------------------------------------------------------


def locked_transfer_of(payout_id: UUID) -> ConnectTransfer:
    """Lock what was sent for a payout, which is locked before it."""
    return ConnectTransfer.objects.select_for_update(no_key=True).get(payout_id=payout_id)


def _locked(transfer_id: UUID) -> ConnectTransfer:
    return ConnectTransfer.objects.select_for_update(no_key=True).get(id=transfer_id)


def _move(transfer: ConnectTransfer, status: TransferStatus, *, failure: str = "", now: datetime) -> None:
    """Go on, never back: what Stripe says late or twice about an earlier state changes nothing."""
    if status not in TRANSFER_MOVES[TransferStatus(transfer.status)]:
        return
    before = transfer.status
    transfer.status, transfer.failure, transfer.changed_at = status, failure[:500], now
    transfer.save(
        update_fields=["status", "failure", "changed_at", "transfer_stripe_id", "payout_stripe_id", "reversed_minor"]
    )
    _note(ACTOR, transfer, before, now=now)


def _amount(transfer: ConnectTransfer) -> dict[str, Any]:
    return {"amount": transfer.amount_minor, "currency": transfer.currency.lower()}


def _note(actor: Actor, transfer: ConnectTransfer, before: str | None, *, now: datetime) -> None:
    told = {
        "amount": format_minor(transfer.amount_minor, transfer.currency),
        "currency": transfer.currency,
        "status": str(transfer.status),
    }
    audit.record(
        actor,
        "connect_transfer.change",
        "connect_transfer",
        transfer.id,
        None if before is None else {"status": str(before)},
        told | {"payout": str(transfer.payout_id)},
        now=now,
        organisation_id=transfer.organisation_id,
    )
    events.emit("stripe_transfer.changed", "connect_transfer", transfer.id, transfer.organisation_id, told, now=now)
