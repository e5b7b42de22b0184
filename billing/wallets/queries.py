"""Reads of budgets, credit limits and thresholds."""

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.budgets.models import ProjectBudget
from billing.wallets.models import CreditLimitChange, WalletThreshold


def budgets(actor: Actor) -> QuerySet[ProjectBudget]:
    """Return the budgets of the actor's organisation."""
    actor.require(Capability.VIEW_BUYING)
    return ProjectBudget.objects.filter(project__organisation_id=actor.organisation()).select_related("project")


def thresholds(actor: Actor) -> QuerySet[WalletThreshold]:
    """Return the thresholds of the actor's organisation, the highest of a currency first."""
    actor.require(Capability.VIEW_BUYING)
    found = WalletThreshold.objects.filter(organisation_id=actor.organisation())
    return found.order_by("currency", "-below_minor")


def credit_changes(actor: Actor) -> QuerySet[CreditLimitChange]:
    """Return every proposed credit limit, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return CreditLimitChange.objects.select_related("organisation", "proposed_by")
