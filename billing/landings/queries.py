"""Reads of landings, scoped to what the actor may see."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.landings.models import LandingPolicy, WalletLanding
from billing.landings.rules import NO_NEW_USE, Stage


def visible_to(actor: Actor) -> QuerySet[WalletLanding]:
    """Return the landings of the actor's organisation; all of them for those who read the books."""
    actor.require(Capability.VIEW_BUYING, Capability.VIEW_BOOKS)
    found = WalletLanding.objects.select_related("organisation")
    return found if actor.can(Capability.VIEW_BOOKS) else found.filter(organisation_id=actor.organisation())


def policy_at(instant: datetime) -> LandingPolicy:
    """Return the policy in force; one is loaded with the schema."""
    found = LandingPolicy.objects.filter(effective_from__lte=instant).order_by("-effective_from").first()
    assert found is not None, "a migration loads a policy that holds from the beginning"
    return found


def stopped(currency: str) -> QuerySet[WalletLanding]:
    """Return the landings of wallets that may buy nothing new."""
    return WalletLanding.objects.filter(currency=currency, status__in=NO_NEW_USE)


def stopped_buyers(currency: str) -> set[UUID]:
    """Return the organisations that may buy nothing new in a currency."""
    return set(stopped(currency).values_list("organisation_id", flat=True))


def releasing() -> QuerySet[WalletLanding]:
    """Return the landings whose leases are handed back."""
    return WalletLanding.objects.filter(status=Stage.RELEASING).order_by("id")
