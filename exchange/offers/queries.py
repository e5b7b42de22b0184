"""Reads of offers."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from billing.contracts.rules import Released
from catalog.measures.interval import HOUR, Interval
from catalog.offerings import cells
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from exchange.markets.models import Market
from exchange.offers.errors import OfferNotFound
from exchange.offers.models import Offer, OfferSlot
from exchange.offers.rules import LIVE


def visible_to(actor: Actor) -> QuerySet[Offer]:
    """Return the offers an actor may read: a provider its own, staff all.

    Hours that a buyer sells back are the buyer's offer; the provider does not learn of it.
    """
    offers = Offer.objects.select_related("market", "offering__site", "offering__resource_type", "provider")
    if actor.is_staff:
        return offers
    actor.require(Capability.VIEW_SELLING)
    return offers.filter(provider_id=actor.organisation_id, origin__isnull=True)


def get(actor: Actor, offer_id: UUID) -> Offer:
    """Return one visible offer; raises OfferNotFound."""
    offer = visible_to(actor).filter(id=offer_id).first()
    if offer is None:
        raise OfferNotFound
    return offer


def own(actor: Actor, offer_id: UUID) -> Offer:
    """Return one offer of the actor's organisation as a provider, to change it; raises OfferNotFound."""
    own_offers = Offer.objects.select_related("market").filter(provider_id=actor.organisation(), origin__isnull=True)
    offer = own_offers.filter(id=offer_id).first()
    if offer is None:
        raise OfferNotFound
    return offer


def of_seller(organisation_id: UUID) -> Q:
    """Return the condition that an offer is an organisation's own: of its supply, or of hours that it sells back."""
    return Q(provider_id=organisation_id, origin__isnull=True) | Q(origin__buyer_id=organisation_id)


def back_from(origin_id: UUID, offering_id: UUID) -> QuerySet[Offer]:
    """Return the offers of hours of an offering that are, or were, sold back from a contract, the newest first."""
    offers = Offer.objects.select_related("market", "origin").filter(origin_id=origin_id, offering_id=offering_id)
    return offers.order_by("-id")


def promised(origin_id: UUID, offering_id: UUID) -> list[Released]:
    """Return the units of a contract that are on offer to others: runs of one quantity, by time."""
    left: dict[datetime, int] = {}
    slots = OfferSlot.objects.filter(offer__origin_id=origin_id, offer__offering_id=offering_id, quantity__gt=F("sold"))
    for starts_at, quantity, sold in slots.values_list("starts_at", "quantity", "sold"):
        left[starts_at] = left.get(starts_at, 0) + quantity - sold
    runs: list[Released] = []
    for hour in sorted(left):
        if runs and (runs[-1].interval.end, runs[-1].quantity) == (hour, left[hour]):
            runs[-1] = Released(Interval(runs[-1].interval.start, hour + HOUR), left[hour])
        else:
            runs.append(Released(Interval(hour, hour + HOUR), left[hour]))
    return runs


def live(market_id: UUID) -> QuerySet[Offer]:
    """Return the offers of a market with something left to sell, in the order in which they came."""
    return Offer.objects.filter(market_id=market_id, status__in=LIVE).order_by("seq")


def own_order_that_could_meet(
    market: Market, offering: Offering, *, seller_id: UUID, starts_at: datetime, ends_at: datetime
) -> str | None:
    """Return the id of a live order of the seller's own that could be filled by the offering, spelled outside.

    Orders are the room above; they are read through the market's reverse relation.
    """
    attributes = cells.attributes(offering)
    own_orders = market.orders.filter(
        buyer_id=seller_id, closed_at__isnull=True, earliest_at__lt=ends_at, latest_at__gt=starts_at
    )
    for order in own_orders.order_by("seq"):
        if not Needs.from_document(order.needs).unmet_by(attributes):
            return ids.spell("ord", order.id)
    return None
