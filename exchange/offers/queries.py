"""Reads of offers."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from catalog.offerings import cells
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from exchange.markets.models import Market
from exchange.offers.errors import OfferNotFound
from exchange.offers.models import Offer
from exchange.offers.rules import LIVE


def visible_to(actor: Actor) -> QuerySet[Offer]:
    """Return the offers an actor may read: a provider its own, staff all."""
    offers = Offer.objects.select_related("market", "offering__site", "offering__resource_type", "provider")
    if actor.is_staff:
        return offers
    actor.require(Capability.VIEW_SELLING)
    return offers.filter(provider_id=actor.organisation_id)


def get(actor: Actor, offer_id: UUID) -> Offer:
    """Return one visible offer; raises OfferNotFound."""
    offer = visible_to(actor).filter(id=offer_id).first()
    if offer is None:
        raise OfferNotFound
    return offer


def own(actor: Actor, offer_id: UUID) -> Offer:
    """Return one offer of the actor's organisation, to change it; raises OfferNotFound."""
    offer = Offer.objects.select_related("market").filter(id=offer_id, provider_id=actor.organisation()).first()
    if offer is None:
        raise OfferNotFound
    return offer


def live(market_id: UUID) -> QuerySet[Offer]:
    """Return the offers of a market with something left to sell, in the order in which they came."""
    return Offer.objects.filter(market_id=market_id, status__in=LIVE).order_by("seq")


def own_order_that_could_meet(
    market: Market, offering: Offering, *, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> str | None:
    """Return the id of a live order of the provider's own that could be filled by the offering, spelled outside.

    Orders are the room above; they are read through the market's reverse relation.
    """
    attributes = cells.attributes(offering)
    own_orders = market.orders.filter(
        buyer_id=provider_id, closed_at__isnull=True, earliest_at__lt=ends_at, latest_at__gt=starts_at
    )
    for order in own_orders.order_by("seq"):
        if not Needs.from_document(order.needs).unmet_by(attributes):
            return ids.spell("ord", order.id)
    return None
