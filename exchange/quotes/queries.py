"""Reads of quotes, and of what is for sale at once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Prefetch, QuerySet, Sum

from accounts.actors.actor import Actor, Capability
from accounts.organisations.rules import OrganisationStatus
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.offers import queries as offers
from exchange.offers.models import Offer, OfferSlot
from exchange.offers.rules import Sale
from exchange.quotes.errors import QuoteNotFound
from exchange.quotes.models import Quote, QuoteLine, QuotePart
from exchange.quotes.rules import QuoteSpec, QuoteStatus, Supply


@dataclass(frozen=True)
class Held:
    """What a buyer has held by open quotes in a market."""

    quotes: int
    unit_hours: int


def visible_to(actor: Actor) -> QuerySet[Quote]:
    """Return the quotes an actor may read with their lines: a buyer its own, staff all."""
    parts = QuotePart.objects.select_related("offer__offering__site", "offer__provider").order_by("price_micros", "id")
    lines = QuoteLine.objects.order_by("starts_at")
    quotes = Quote.objects.select_related("market", "project", "buyer").prefetch_related(
        Prefetch("parts", parts), Prefetch("parts__lines", lines)
    )
    if actor.is_staff:
        return quotes
    actor.require(Capability.VIEW_BUYING)
    return quotes.filter(buyer_id=actor.organisation_id)


def get(actor: Actor, quote_id: UUID) -> Quote:
    """Return one visible quote; raises QuoteNotFound."""
    quote = visible_to(actor).filter(id=quote_id).first()
    if quote is None:
        raise QuoteNotFound
    return quote


def claims(quote: Quote) -> list[Sale]:
    """Return what a quote holds of which offer."""
    lines = QuoteLine.objects.filter(part__quote=quote).select_related("part").order_by("part_id", "starts_at")
    return [Sale(line.part.offer_id, line.starts_at, line.ends_at, line.quantity) for line in lines]


def held_by(buyer_id: UUID, market: Market, *, now: datetime) -> Held:
    """Return what a buyer's quotes in a market hold at an instant."""
    open_quotes = Quote.objects.filter(buyer_id=buyer_id, market=market, status=QuoteStatus.OPEN, expires_at__gt=now)
    row = open_quotes.aggregate(quotes=Count("id"), unit_hours=Sum("unit_hours"))
    return Held(row["quotes"], row["unit_hours"] or 0)


def supplies(market: Market, spec: QuoteSpec, *, buyer_id: UUID) -> dict[UUID, tuple[Offer, Supply]]:
    """Return what could serve a quote now, by offer: with an instant price, in no frozen book, of somebody else.

    Offers of providers that may not act, and of listings that are not for sale, stay out, as they do of a book.
    """
    matching = offerings.matching(markets.listed_offerings(market), spec.needs)
    pool_of = {offering.id: cells.code(offering) for offering in matching}
    found = {
        offer.id: offer
        for offer in offers.live(market.id)
        .filter(
            offering_id__in=list(pool_of),
            instant_price_micros__isnull=False,
            locked_at__isnull=True,
            provider__status=OrganisationStatus.ACTIVE,
            starts_at__lt=spec.ends_at,
            ends_at__gt=spec.starts_at,
        )
        .exclude(provider_id=buyer_id)
    }
    free = _free(found, spec)
    return {
        offer.id: (
            offer,
            Supply(offer.id, pool_of[offer.offering_id], offer.instant_price_micros or 0, offer.seq, free[offer.id]),
        )
        for offer in found.values()
    }


def _free(offer_ids: Iterable[UUID], spec: QuoteSpec) -> dict[UUID, dict[datetime, int]]:
    free: dict[UUID, dict[datetime, int]] = defaultdict(dict)
    slots = OfferSlot.objects.filter(
        offer_id__in=list(offer_ids), starts_at__gte=spec.starts_at, starts_at__lt=spec.ends_at
    ).filter(quantity__gt=F("held") + F("sold"))
    for offer_id, starts_at, units in slots.values_list("offer_id", "starts_at", F("quantity") - F("held") - F("sold")):
        free[offer_id][starts_at] = units
    return free
