"""The first page after sign-in: what stands where, for each desk of the actor."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.organisations import queries as organisations
from billing.bounds import queries as bounds
from billing.ledger import queries as ledger
from billing.payments import queries as payments
from billing.payments.rules import TopUpStatus
from billing.payouts import queries as payouts
from billing.reconciliation import queries as reconciliation
from billing.reconciliation.rules import BreakStatus
from catalog.offerings import queries as catalogue
from catalog.offerings.rules import OfferingStatus
from exchange.auctions import watch
from exchange.leases import queries as leases
from exchange.leases.rules import RUNNING
from exchange.markets import queries as markets
from exchange.offers import queries as offers
from exchange.offers.rules import LIVE as LIVE_OFFERS
from exchange.orders import queries as orders
from exchange.orders.rules import LIVE as LIVE_ORDERS
from exchange.rounds.pages import market_clock


@actor_required()
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the market clocks and one card of figures for each desk."""
    now = clock.now()
    context: dict[str, Any] = {"clocks": [market_clock(market, now) for market in markets.all_markets()], "now": now}
    context["may_trade"] = actor.can(Capability.TRADE)
    if actor.can(Capability.VIEW_BUYING):
        context["buying"] = _buying(actor)
    if actor.can(Capability.VIEW_SELLING):
        context["selling"] = _selling(actor)
    if actor.can(Capability.VIEW_BOOKS):
        context["books"] = {
            "parked_accounts": bounds.visible_parkings(actor).filter(released_at=None).count(),
            "unmatched_items": len(reconciliation.unmatched_items(actor, now=now).items),
            "balances": [ledger.trial_balance(currency) for currency in ledger.currencies()],
            "open_breaks": reconciliation.visible_breaks(actor).filter(status=BreakStatus.OPEN).count(),
            "top_ups": payments.visible_top_ups(actor).filter(status=TopUpStatus.AWAITING).count(),
        }
    if actor.can(Capability.OPERATE):
        context["operating"] = {
            "overdue_rounds": len(watch.overdue(now=now)),
            "applications": organisations.applications(actor).count(),
            "submitted_offerings": catalogue.visible_to(actor).filter(status=OfferingStatus.SUBMITTED).count(),
        }
    return render(request, "home.html", context)


def _buying(actor: Actor) -> dict[str, Any]:
    mine = {"buyer_id": actor.organisation()}
    return {
        "wallets": ledger.wallets(actor.organisation()),
        "live_orders": orders.visible_to(actor).filter(status__in=LIVE_ORDERS, **mine).count(),
        "running_leases": leases.visible_to(actor).filter(status__in=RUNNING, **mine).count(),
    }


def _selling(actor: Actor) -> dict[str, Any]:
    mine = {"provider_id": actor.organisation()}
    owed = [row for row in payouts.visible_payables(actor) if row.organisation_id == actor.organisation()]
    return {
        "live_offers": offers.visible_to(actor).filter(status__in=LIVE_OFFERS, **mine).count(),
        "running_leases": leases.visible_to(actor).filter(status__in=RUNNING, **mine).count(),
        "owed": owed,
    }
