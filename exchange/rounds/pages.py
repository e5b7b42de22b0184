"""Rounds and their latest prices as everybody sees them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.foundation import clock
from accounts.web.listing import listing
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.rounds import queries

LATEST_PRICES: Final = 24


@dataclass(frozen=True)
class MarketClock:
    """When a market's book closes next, and what that gate can deliver."""

    market: Market
    gate_at: datetime
    cancel_until: datetime
    is_no_cancel: bool
    delivers_from: datetime
    delivers_until: datetime


@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """The clocks of all markets, and the rounds, newest first, for everybody."""
    now = clock.now()
    code = request.GET.get("market", "")
    shown = list(markets.all_markets())
    # Compared here, not in SQL: an address may hold what no column can.
    of_code = [market.id for market in shown if market.code == code]
    rows = queries.rounds().filter(market__in=of_code) if code else queries.rounds()
    context = {
        "clocks": [market_clock(market, now) for market in shown],
        # The documents of a round are long, and a list shows none of them.
        "listing": listing(rows.defer("snapshot__text", "outcome__text", "outcome__certificate"), request),
        "prices": queries.prices()
        .filter(traded_unit_hours__gt=0)
        .order_by("-published_at", "cell", "starts_at")[:LATEST_PRICES],
        "chosen": code,
        "now": now,
    }
    return render(request, "exchange/rounds.html", context)


def market_clock(market: Market, now: datetime) -> MarketClock:
    """Return where a market stands between its gates."""
    gate_at = market_rules.next_gate(market.terms, now)
    reach = market_rules.horizon(market.terms, gate_at)
    return MarketClock(
        market=market,
        gate_at=gate_at,
        cancel_until=market_rules.cancel_deadline(market.terms, gate_at),
        is_no_cancel=market_rules.in_no_cancel_phase(market.terms, now, gate_at=gate_at),
        delivers_from=reach.first_at,
        delivers_until=reach.last_at,
    )
