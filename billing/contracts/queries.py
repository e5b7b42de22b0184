"""Reads of contracts, scoped to who asks."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.contracts.errors import NoSuchContract
from billing.contracts.models import Contract


def visible_to(actor: Actor) -> QuerySet[Contract]:
    """The contracts that an actor may see: those that their organisation bought or sold, and all to staff."""
    contracts = Contract.objects.select_related("buyer", "provider", "project")
    return contracts if actor.is_staff else contracts.filter(party_condition(actor))


def one(actor: Actor, contract_id: UUID) -> Contract:
    """Return a contract with its schedule; raises NoSuchContract."""
    contract = visible_to(actor).prefetch_related("slots").filter(id=contract_id).first()
    if contract is None:
        raise NoSuchContract
    return contract


def party_condition(actor: Actor, prefix: str = "") -> Q:
    """Return the condition that the actor's organisation is a party; `prefix` leads to the contract."""
    condition = Q(pk__in=[])
    if actor.organisation_id is not None and actor.can(Capability.VIEW_BUYING):
        condition |= Q(**{f"{prefix}buyer_id": actor.organisation_id})
    if actor.organisation_id is not None and actor.can(Capability.VIEW_SELLING):
        condition |= Q(**{f"{prefix}provider_id": actor.organisation_id})
    return condition


def sees_buyers_side(actor: Actor, contract: Contract) -> bool:
    """Whether an actor may know what concerns the buyer and the exchange alone: project, hold, fee."""
    return actor.is_staff or (actor.organisation_id == contract.buyer_id and actor.can(Capability.VIEW_BUYING))


def sees_providers_side(actor: Actor, contract: Contract) -> bool:
    """Whether an actor may know what concerns the provider and the exchange alone: commission."""
    return actor.is_staff or (actor.organisation_id == contract.provider_id and actor.can(Capability.VIEW_SELLING))


def terms_seen_by(actor: Actor, contract: Contract) -> dict[str, Any]:
    """Return the terms without what the exchange agreed with the other side only."""
    terms = dict(contract.terms)
    fees = dict(terms["fees"])
    if not sees_buyers_side(actor, contract):
        del fees["buyer_fee_ppm"], terms["sales_taxes"], terms["payment_days"]
    if not sees_providers_side(actor, contract):
        del fees["provider_commission_ppm"], terms["purchase_taxes"]
    return terms | {"fees": fees}
