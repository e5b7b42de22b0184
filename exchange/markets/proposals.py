"""What an empty form proposes: a market, and hours that its next gate can deliver."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog.measures.interval import HOUR
from exchange.markets.models import Market
from exchange.markets.rules import Horizon, MarketStatus, MarketTerms, grid_ceiling, horizon, next_gate

_DAY = timedelta(days=1)
# What is proposed where gates follow each other within a day: enough for a job, and it begins soon.
_SOON = 4 * HOUR


def initial(code: str, *, start: str, end: str, now: datetime) -> dict[str, Any]:
    """Return the initial values of a form whose window is in these two fields.

    The market is `code`'s; else the open one whose gate comes next, of equal ones the one that clears most often.
    """
    open_markets = list(Market.objects.filter(status=MarketStatus.OPEN).order_by("name"))
    if not open_markets:
        return {}
    soonest = min(open_markets, key=lambda market: (next_gate(market.terms, now), market.gate_interval_seconds))
    market = next((market for market in open_markets if market.code == code), soonest)
    hours = window(market.terms, now)
    return {"market": market.id, start: hours.first_at, end: hours.last_at}


def window(terms: MarketTerms, now: datetime) -> Horizon:
    """Return hours that the next gate delivers: the first ones where there are several gates a day, else a whole day.

    Where no whole day can be delivered, the first hours up to a day; empty (`first_at >= last_at`) where nothing can.
    """
    reach = horizon(terms, next_gate(terms, now))
    if terms.gate_interval_seconds < _DAY.total_seconds():
        return Horizon(reach.first_at, min(grid_ceiling(terms, reach.first_at + _SOON), reach.last_at))
    local = reach.first_at.astimezone(ZoneInfo(terms.timezone))
    midnight = datetime.combine(local.date(), time(), local.tzinfo)
    morning = midnight if midnight == local else midnight + _DAY
    if morning + _DAY <= reach.last_at:
        return Horizon(morning, morning + _DAY)
    return Horizon(reach.first_at, min(reach.first_at + _DAY, reach.last_at))
