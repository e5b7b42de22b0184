"""Reads of what a gate freezes, from rows to the plain values of a book."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from catalog.measures.interval import HOUR
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering
from exchange.auctions.book import Demand, Supply
from exchange.clearing.book import Attributes, Cell, MaxLatency, Needs, OrderKind
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers.models import Offer, OfferSlot
from exchange.orders.models import Order
from exchange.trades.models import Trade


def supplies(market: Market, offers: Iterable[Offer]) -> list[Supply]:
    """Return offers as plain values, with what is sold of each by slot, or held by quotes.

    Barred are those whose provider or seller may not act, or whose offering can no longer be bought.
    """
    offers = list(offers)
    used = _taken(market, [offer.id for offer in offers])
    resellers = dict(
        Offer.objects.filter(id__in=[offer.id for offer in offers if offer.origin_id]).values_list(
            "id", "origin__buyer_id"
        )
    )
    active = _active({*(offer.provider_id for offer in offers), *resellers.values()})
    listed = set(offerings.listed().filter(id__in={offer.offering_id for offer in offers}).values_list("id", flat=True))
    cell_of = _cells({offer.offering_id for offer in offers})
    return [
        Supply(
            id=ids.spell("off", offer.id),
            provider=ids.spell("org", offer.provider_id),
            cell=cell_of[offer.offering_id],
            start=market_rules.slot_at(market.terms, offer.starts_at),
            end=market_rules.slot_at(market.terms, offer.ends_at),
            units=offer.quantity,
            reserve_micros=offer.reserve_micros,
            seq=offer.seq,
            used=used.get(offer.id, {}),
            is_barred=not {offer.provider_id, resellers.get(offer.id, offer.provider_id)} <= active
            or offer.offering_id not in listed,
            reseller=ids.spell("org", resellers[offer.id]) if offer.id in resellers else "",
        )
        for offer in offers
    ]


def demands(market: Market, orders: Iterable[Order]) -> list[Demand]:
    """Return orders as plain values, with what earlier rounds filled of each by slot.

    Barred are those whose buyer may not act.
    """
    orders = list(orders)
    used = _filled(market, [order.id for order in orders])
    active = _active({order.buyer_id for order in orders})
    return [
        Demand(
            id=ids.spell("ord", order.id),
            buyer=ids.spell("org", order.buyer_id),
            kind=OrderKind(order.kind),
            units_min=order.quantity_min or 0,
            units_max=order.quantity_max,
            hours=order.hours or 0,
            earliest=market_rules.slot_at(market.terms, order.earliest_at),
            latest=market_rules.slot_at(market.terms, order.latest_at),
            single_site=order.single_site,
            limit_micros=order.limit_micros,
            needs=needs_of(order.needs),
            seq=order.seq,
            used=used.get(order.id, {}),
            is_barred=order.buyer_id not in active,
        )
        for order in orders
    ]


def needs_of(document: Mapping[str, Any]) -> Needs:
    """Return an order's needs as clearing reads them; the order's own check has made the document sound."""
    latency = document.get("max_latency")
    return Needs(
        model=_choices(document.get("model")),
        region=_choices(document.get("region")),
        interconnect=_choices(document.get("interconnect")),
        min_mem_gb=document.get("min_mem_gb"),
        min_tflops=document.get("min_tflops"),
        min_green_pct=document.get("min_green_pct"),
        min_security=document.get("min_security"),
        max_latency=MaxLatency(latency["metro"], latency["ms"]) if latency else None,
    )


def _choices(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None


def _active(organisation_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these organisations may trade: one that was suspended or closed keeps what it has bought."""
    organisations = Organisation.objects.filter(id__in=list(organisation_ids), status=OrganisationStatus.ACTIVE)
    return set(organisations.values_list("id", flat=True))


def _cells(offering_ids: Iterable[UUID]) -> dict[UUID, Cell]:
    """Return each offering's cell. Providers at a site share its fabric, so the provider is not part of it."""
    return {
        offering.id: _cell(offering)
        for offering in offerings.with_cells(Offering.objects.filter(id__in=list(offering_ids)))
    }


def _cell(offering: Offering) -> Cell:
    attributes = cells.attributes(offering)
    return Cell(
        id=cells.code(offering),
        site=offering.site.code,
        attributes=Attributes(
            model=attributes.model,
            mem_gb=attributes.memory_gb,
            tflops=attributes.tflops,
            region=attributes.region,
            green_pct=attributes.green_percent,
            security=attributes.security,
            interconnect=attributes.interconnect,
            latency_ms=dict(attributes.latency_ms),
        ),
    )


def _taken(market: Market, offer_ids: list[UUID]) -> dict[UUID, dict[int, int]]:
    used: dict[UUID, dict[int, int]] = defaultdict(dict)
    taken = OfferSlot.objects.filter(offer_id__in=offer_ids).annotate(taken=F("held") + F("sold")).filter(taken__gt=0)
    for offer_id, starts_at, units in taken.values_list("offer_id", "starts_at", "taken"):
        used[offer_id][market_rules.slot_at(market.terms, starts_at)] = units
    return used


def _filled(market: Market, order_ids: list[UUID]) -> dict[UUID, dict[int, int]]:
    used: dict[UUID, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    rows = Trade.objects.filter(order_id__in=order_ids).values_list("order_id", "starts_at", "ends_at", "quantity")
    for order_id, starts_at, ends_at, quantity in rows:
        for slot in _slots(market, starts_at, ends_at):
            used[order_id][slot] += quantity
    return used


def _slots(market: Market, starts_at: datetime, ends_at: datetime) -> Iterator[int]:
    first = market_rules.slot_at(market.terms, starts_at)
    return iter(range(first, first + (ends_at - starts_at) // HOUR))
