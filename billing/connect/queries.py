"""Reads of providers' Stripe accounts and of what was sent to them."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.connect.errors import NoSuchStripeAccount
from billing.connect.models import ConnectedAccount, ConnectTransfer
from billing.connect.rules import OnboardingStatus, TransferStatus

UNDER_WAY = (TransferStatus.PREPARING.value, TransferStatus.SENT.value, TransferStatus.PAYING_OUT.value)


def transfer_of(payout_id: UUID) -> ConnectTransfer | None:
    """Return what was sent for a payout, with its status; None when nothing was."""
    return ConnectTransfer.objects.filter(payout_id=payout_id).first()


def payable_account(organisation_id: UUID) -> ConnectedAccount | None:
    """Return the account that a provider can be paid through; None when it has none that is enabled."""
    return ConnectedAccount.objects.filter(
        organisation_id=organisation_id, status=OnboardingStatus.ENABLED.value
    ).first()


def payable_organisations() -> QuerySet[ConnectedAccount, UUID]:
    """Return the providers that can be paid through Stripe, by their ids."""
    enabled = ConnectedAccount.objects.filter(status=OnboardingStatus.ENABLED.value)
    return enabled.values_list("organisation_id", flat=True)


def visible_transfers(actor: Actor) -> QuerySet[ConnectTransfer]:
    """Return the transfers an actor may see: all with the books, else those to its own organisation."""
    transfers = ConnectTransfer.objects.select_related("organisation")
    if actor.can(Capability.VIEW_BOOKS):
        return transfers
    actor.require(Capability.VIEW_SELLING)
    return transfers.filter(organisation_id=actor.organisation())


def own_account(actor: Actor) -> ConnectedAccount:
    """Return the Stripe account of the actor's organisation; raises NoSuchStripeAccount."""
    actor.require(Capability.VIEW_SELLING)
    account = ConnectedAccount.objects.filter(organisation_id=actor.organisation()).first()
    if account is None:
        raise NoSuchStripeAccount
    return account
