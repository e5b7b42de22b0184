"""Reads of markets, which are public to everybody who is signed in."""

from uuid import UUID

from django.db.models import QuerySet

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
