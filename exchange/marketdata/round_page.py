"""One round as everybody sees it: before its gate what it would find, afterwards what it decided and what proves it."""

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

from accounts.actors.actor import Actor, Capability
from accounts.actors.requests import actor_of
from accounts.foundation import clock, ids
from exchange.indications import queries as indications
from exchange.marketdata import queries
from exchange.markets import rules as market_rules
from exchange.rounds import charts
from exchange.rounds import queries as rounds
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.pages import market_clock
from exchange.rounds.rules import MOVES, TAKING_ORDERS, RoundStatus

DRAWN_POOLS: Final = 4


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
def round_(request: HttpRequest, round_id: UUID) -> HttpResponse:
    """One round: its prices, what was traded without names, and the documents that prove it, for everybody."""
    shown = rounds.get(round_id)
    reader = actor_of(request)
    actor = reader if reader is not None and reader.organisation_id is not None else None
    context: dict[str, Any] = {"round": shown, "may_trade": actor is not None and actor.can(Capability.TRADE)}
    if actor is not None and actor.can(Capability.OPERATE):
        context["may_void"] = RoundStatus.VOID in MOVES[RoundStatus(shown.status)]
        context["void_request"] = rounds.void_request(shown)
        context["reader"] = actor
    if shown.status == RoundStatus.PUBLISHED:
        prices = list(shown.prices.order_by("cell", "starts_at"))
        own = rounds.own_rows(shown, actor) if actor else {}
        outcome = json.loads(rounds.public_outcome(shown).text)
        context |= {
            "prices": prices,
            "charts": _charts(prices),
            "record": rounds.record(shown),
            "trades": [_trade(trade, own, shown.market.terms) for trade in outcome["trades"]],
        }
    elif shown.status in TAKING_ORDERS:
        context |= {"clock": market_clock(shown.market, clock.now())} | _indicated(shown, actor)
    return render(request, "exchange/round.html", context)


def _indicated(shown: Round, actor: Actor | None) -> dict[str, Any]:
    """What the gate would find by the latest indication, and what the reader's own orders would get."""
    latest = indications.latest_of(shown)
    if latest is None:
        return {}
    return {
        "market": shown.market,
        "indicative": queries.lines_of(latest),
        "own_odds": indications.own_odds(actor, latest) if actor is not None else [],
    }


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
