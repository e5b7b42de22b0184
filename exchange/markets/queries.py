"""Reads of markets, which are public to everybody who is signed in."""

from uuid import UUID

from django.db.models import QuerySet

from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.models import Offering
from catalog.taxonomy.rules import UNIT_BY_FORM
from exchange.markets.errors import MarketSuspended, MarketUnknown
from exchange.markets.models import Market
from exchange.markets.rules import MarketStatus


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
