"""Reads of markets, which are public to everybody who is signed in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final
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

COMING: Final = 5  # gates that are shown ahead


@dataclass(frozen=True)
class Gate:
    """A coming gate, from when on nothing may be lowered before it, and when its round is published.

    Its own round opens at the gate before. It is published from `publish_at` on, and is late after `publish_by`.
    """

    opens_at: datetime
    gate_at: datetime
    cancel_deadline_at: datetime
    publish_at: datetime
    publish_by_at: datetime


@dataclass(frozen=True)
class MarketNow:
    """A market at an instant: its next gate, until when one may cancel before it, and what it can deliver."""

    market: Market
    next_gate_at: datetime
    cancel_deadline_at: datetime
    first_delivery_at: datetime
    last_delivery_at: datetime
    coming: tuple[Gate, ...]


def at(market: Market, now: datetime) -> MarketNow:
    """Return a market with what its schedule says at an instant."""
    terms = market.terms
    gate_at = rules.next_gate(terms, now)
    reach = rules.horizon(terms, gate_at)
    coming = tuple(islice(gates(market, now), COMING))
    return MarketNow(market, gate_at, coming[0].cancel_deadline_at, reach.first_at, reach.last_at, coming)


def gates(market: Market, after: datetime) -> Iterator[Gate]:
    """Yield the coming gates of a market without end."""
    terms = market.terms
    opens_at, gate_at = rules.last_gate(terms, after), rules.next_gate(terms, after)
    while True:
        yield Gate(
            opens_at=opens_at,
            gate_at=gate_at,
            cancel_deadline_at=rules.cancel_deadline(terms, gate_at),
            publish_at=rules.publish_at(terms, gate_at),
            publish_by_at=rules.publish_by(terms, gate_at),
        )
        opens_at, gate_at = gate_at, rules.next_gate(terms, gate_at)


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
