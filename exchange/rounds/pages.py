"""Rounds and prices as everybody sees them."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.actors.actor import Capability
from accounts.actors.requests import actor_of
from accounts.foundation import clock, ids
from accounts.web.listing import listing
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.rounds import charts, queries
from exchange.rounds.models import RoundPrice
from exchange.rounds.rules import MOVES, TAKING_ORDERS, RoundStatus

LATEST_PRICES: Final = 24
DRAWN_POOLS: Final = 4


@dataclass(frozen=True)
class MarketClock:
    """When a market's book closes next, and what that gate can deliver."""

    market: Market
    gate_at: datetime
    cancel_until: datetime
    is_no_cancel: bool
    delivers_from: datetime
    delivers_until: datetime


@dataclass(frozen=True)
class TradeShown:
    """One trade with blinded names; an address where the row is the reader's own."""

    order: str
    order_url: str
    offer: str
    offer_url: str
    starts_at: datetime
    ends_at: datetime
    quantity: int


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


@require_safe
def round_(request: HttpRequest, round_id: UUID) -> HttpResponse:
    """One round: its prices, what was traded without names, and the documents that prove it, for everybody."""
    shown = queries.get(round_id)
    reader = actor_of(request)
    actor = reader if reader is not None and reader.organisation_id is not None else None
    context: dict[str, Any] = {"round": shown, "may_trade": actor is not None and actor.can(Capability.TRADE)}
    if actor is not None and actor.can(Capability.OPERATE):
        context["may_void"] = RoundStatus.VOID in MOVES[RoundStatus(shown.status)]
        context["void_request"] = queries.void_request(shown)
        context["reader"] = actor
    if shown.status == RoundStatus.PUBLISHED:
        prices = list(shown.prices.order_by("cell", "starts_at"))
        own = queries.own_rows(shown, actor) if actor else {}
        outcome = json.loads(queries.public_outcome(shown).text)
        context |= {
            "prices": prices,
            "charts": _charts(prices),
            "record": queries.record(shown),
            "trades": [_trade(trade, own, shown.market.terms) for trade in outcome["trades"]],
        }
    elif shown.status in TAKING_ORDERS:
        context["clock"] = market_clock(shown.market, clock.now())
    return render(request, "exchange/round.html", context)


def _charts(prices: list[RoundPrice]) -> list[charts.StepChart]:
    """Draw the pools in which most was traded."""
    by_cell: dict[str, list[RoundPrice]] = defaultdict(list)
    for price in prices:
        by_cell[price.cell].append(price)
    traded = {cell: sum(run.traded_unit_hours for run in runs) for cell, runs in by_cell.items()}
    busiest = sorted((cell for cell in by_cell if traded[cell]), key=lambda cell: (-traded[cell], cell))
    return [charts.step_chart(cell, by_cell[cell]) for cell in busiest[:DRAWN_POOLS]]


def _trade(trade: dict[str, Any], own: dict[str, str], terms: market_rules.MarketTerms) -> TradeShown:
    mine_order, mine_offer = own.get(trade["order"]), own.get(trade["offer"])
    return TradeShown(
        order=trade["order"],
        order_url=reverse("order", args=[_id("ord", mine_order)]) if mine_order else "",
        offer=trade["offer"],
        offer_url=reverse("my_offer", args=[_id("off", mine_offer)]) if mine_offer else "",
        starts_at=market_rules.instant_of(terms, trade["t0"]),
        ends_at=market_rules.instant_of(terms, trade["t1"]),
        quantity=trade["qty"] * terms.lot_units,  # outcomes count in lots
    )


def _id(prefix: str, row_id: str) -> UUID:
    """Return the order or offer that a row of a book belongs to; a part of it ends in its first slot."""
    return ids.parse(prefix, row_id.partition(".")[0])


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
