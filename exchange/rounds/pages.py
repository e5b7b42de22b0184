"""Rounds and prices as every member sees them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors.actor import Actor
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.web.listing import listing
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.rounds import queries
from exchange.rounds.rules import RoundStatus

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


@actor_required()
def rounds(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """The clocks of all markets, and the rounds, newest first."""
    now = clock.now()
    code = request.GET.get("market", "")
    rows = queries.rounds().filter(market__code=code) if code else queries.rounds()
    context = {
        "clocks": [market_clock(market, now) for market in markets.all_markets()],
        "listing": listing(rows, request),
        "prices": queries.prices()
        .filter(traded_unit_hours__gt=0)
        .order_by("-published_at", "cell", "starts_at")[:LATEST_PRICES],
        "chosen": code,
        "now": now,
    }
    return render(request, "exchange/rounds.html", context)


@actor_required()
def round_(request: HttpRequest, actor: Actor, round_id: UUID) -> HttpResponse:
    """One round: its prices, what was traded without names, and the digests that prove it."""
    shown = queries.get(round_id)
    context: dict[str, Any] = {"round": shown}
    if shown.status == RoundStatus.PUBLISHED:
        context |= {
            "prices": shown.prices.order_by("cell", "starts_at"),
            "outcome": queries.published_outcome(shown),
            "own": queries.published_book(shown, actor)["own"],
        }
    return render(request, "exchange/round.html", context)


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
