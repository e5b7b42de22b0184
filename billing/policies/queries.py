"""Reads of the rules that money goes by, and of what is proposed about them."""

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from billing.contracts.models import TaxRate
from billing.policies.models import PolicyChange


def changes(actor: Actor) -> QuerySet[PolicyChange]:
    """Every change that was proposed."""
    actor.require(Capability.VIEW_BOOKS)
    return PolicyChange.objects.select_related("proposed_by", "decided_by")


def tax_rates() -> QuerySet[TaxRate]:
    """The tax table; it is public."""
    return TaxRate.objects.all()
