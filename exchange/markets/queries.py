"""Reads of markets, which are public to everybody who is signed in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering
from catalog.taxonomy.rules import UNIT_BY_FORM
from exchange.markets import rules
from exchange.markets.errors import MarketSuspended, MarketUnknown
from exchange.markets.models import Market
from exchange.markets.rules import MarketStatus


@dataclass(frozen=True)
class MarketNow:
    """A market at an instant: its next gate, until when one may cancel before it, and what it can deliver."""

    market: Market
    next_gate_at: datetime
    cancel_deadline_at: datetime
    first_delivery_at: datetime
    last_delivery_at: datetime


def at(market: Market, now: datetime) -> MarketNow:
    """Return a market with what its schedule says at an instant."""
    terms = market.terms
    gate_at = rules.next_gate(terms, now)
    reach = rules.horizon(terms, gate_at)
    return MarketNow(market, gate_at, rules.cancel_deadline(terms, gate_at), reach.first_at, reach.last_at)


def all_markets() -> QuerySet[Market]:
    """Return every market."""
    return Market.objects.all()


def by_code(code: str) -> Market:
    """Return the market of a code; raises MarketUnknown."""
    market = Market.objects.filter(code=code).first()
    if market is None:
        raise MarketUnknown
    return market


def trading(market_id: UUID) -> Market:
    """Return a market that takes offers and orders; raises MarketUnknown, MarketSuspended."""
    market = Market.objects.filter(id=market_id).first()
    if market is None:
        raise MarketUnknown
    if market.status != MarketStatus.OPEN:
        raise MarketSuspended(market.code)
    return market


def trades(market: Market, offering: Offering) -> bool:
    """Whether an offering (from offerings.with_cells) is of the market's kind."""
    same_class = offering.resource_type.service_class.code == market.service_class
    return same_class and cells.unit(offering) == market.unit


def listed_offerings(market: Market) -> QuerySet[Offering]:
    """Return the listed offerings of the market's kind: the cells that orders can be filled from."""
    forms = [form.value for form, unit in UNIT_BY_FORM.items() if unit == market.unit]
    return offerings.listed().filter(
        resource_type__service_class__code=market.service_class, resource_type__form__in=forms
    )
