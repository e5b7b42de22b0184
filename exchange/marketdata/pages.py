"""Market data as everybody sees it, without signing in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actors.actor import Capability
from accounts.actors.requests import actor_of
from accounts.foundation import clock
from catalog.sites import queries as sites
from catalog.taxonomy import queries as taxonomy
from exchange.marketdata import queries, rules
from exchange.marketdata.rules import IndexDay, Window
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.rounds import charts, collars
from exchange.rounds.charts import StepChart
from exchange.rounds.pages import market_clock

INDEX_DAYS: Final = 28
DRAWN: Final = 4  # series
TRADES: Final = 20
ROUNDS: Final = 10
LEVELS: Final = 60
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Drawn:
    """A day of the index as the step chart draws it."""

    starts_at: datetime
    ends_at: datetime
    price_micros: int


@require_safe
def market_data(request: HttpRequest) -> HttpResponse:
    """Every market with its clock, and where its data are."""
    now = clock.now()
    shown = [market_clock(market, now) for market in markets.all_markets()]
    return render(request, "exchange/market_data.html", {"clocks": shown, "now": now})


@require_safe
def market(request: HttpRequest, code: str) -> HttpResponse:
    """One market: its clock, index, depth, latest rounds and trades, and the tables to take away."""
    shown, now, reader = markets.by_code(code), clock.now(), actor_of(request)
    days = Window(now - INDEX_DAYS * _DAY, now + rules.AHEAD)
    index = queries.index(shown, days)
    kinds = dict(taxonomy.resource_types().values_list("code", "name"))
    hubs = dict(sites.hubs().values_list("code", "name_en"))
    recently = Window(now - rules.LONGEST, now + _DAY)
    context = {
        "market": shown,
        "clock": market_clock(shown, now),
        "now": now,
        "coming": markets.at(shown, now).coming,
        "closed_days": _closed_days(shown, now),
        "may_announce": reader is not None and reader.can(Capability.OPERATE),
        "kinds": kinds,
        "hubs": hubs,
        "charts": _charts(shown, index, kinds, hubs),
        "index": index[::-1],
        "indicative": queries.indicative(shown),
        "collars": collars.collars(shown, now=now),
        "levels": queries.depth(shown, now=now)[:LEVELS],
        "rounds": list(islice(queries.rounds(shown, recently), ROUNDS)),
        "trades": list(islice(queries.trades(shown, recently), TRADES)),
        "method": rules,
        "tables": ("depth", "indicative", "collars", "rounds", "trades", "prices", "index"),
    }
    return render(request, "exchange/market.html", context)


def _closed_days(market: Market, now: datetime) -> list[date]:
    """Return the announced local days to come without a gate."""
    today = now.astimezone(ZoneInfo(market.timezone)).date()
    return sorted({day for calendar in market.terms.calendars for day in calendar.closed_days if day >= today})


def _charts(
    market: Market, index: Sequence[IndexDay], kinds: Mapping[str, str], hubs: Mapping[str, str]
) -> list[StepChart]:
    """Draw the series in which most was traded, under the names of their kinds and hubs."""
    zone = ZoneInfo(market.timezone)
    by_name: dict[str, list[Drawn]] = defaultdict(list)
    traded: dict[str, int] = defaultdict(int)
    for day in index:
        name = f"{kinds.get(day.resource_type, day.resource_type)}, {hubs.get(day.hub, day.hub)}"
        starts_at = datetime.combine(day.day, time(), zone)
        by_name[name].append(Drawn(starts_at.astimezone(UTC), (starts_at + _DAY).astimezone(UTC), day.price_micros))
        traded[name] += day.unit_hours
    busiest = sorted(by_name, key=lambda name: (-traded[name], name))
    return [charts.step_chart(name, by_name[name]) for name in busiest[:DRAWN]]
