"""What an empty form proposes: a market, and hours that its next gate can deliver."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from exchange.markets.models import Market
from exchange.markets.rules import Horizon, MarketStatus, MarketTerms, horizon, next_gate

_DAY = timedelta(days=1)


def initial(code: str, *, start: str, end: str, now: datetime) -> dict[str, Any]:
    """Return the initial values of a form whose window is in these two fields: `code`'s market, else the first open."""
    open_markets = list(Market.objects.filter(status=MarketStatus.OPEN).order_by("name"))
    market = next((market for market in open_markets if market.code == code), next(iter(open_markets), None))
    if market is None:
        return {}
    hours = window(market.terms, now)
    return {"market": market.id, start: hours.first_at, end: hours.last_at}


def window(terms: MarketTerms, now: datetime) -> Horizon:
    """Return the first whole local day that the next gate delivers or, where there is none, its first hours.

    At most a day long, and empty (`first_at >= last_at`) where the market delivers nothing.
    """
    reach = horizon(terms, next_gate(terms, now))
    local = reach.first_at.astimezone(ZoneInfo(terms.timezone))
    midnight = datetime.combine(local.date(), time(), local.tzinfo)
    morning = midnight if midnight == local else midnight + _DAY
    if morning + _DAY <= reach.last_at:
        return Horizon(morning, morning + _DAY)
    return Horizon(reach.first_at, min(reach.first_at + _DAY, reach.last_at))
