"""Orders as a buyer places and follows them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.events import queries as events
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.contracts.rules import WorstCase
from billing.ledger import queries as ledger
from catalog.offerings import wording
from catalog.offerings.needs import Needs
from exchange.markets import proposals
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders import queries, services
from exchange.orders.forms import OrderForm, RaiseForm
from exchange.orders.models import Order
from exchange.orders.rules import LIVE, OrderKind, OrderSpec, OrderTerms


@dataclass(frozen=True)
class Confirmation:
    """What somebody agrees to by placing an order; `digest` stands for all of it."""

    market: Market
    terms: OrderTerms
    is_block: bool
    needs: list[tuple[str, str]]
    worst: WorstCase
    hold_minor: int
    gate_at: datetime
    cancel_until: datetime
    digest: str


@actor_required(Capability.VIEW_BUYING)
def orders(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's orders, newest first."""
    found = listing(queries.visible_to(actor), request)
    return render(request, "exchange/orders.html", {"listing": found, "may_trade": actor.can(Capability.TRADE)})


@actor_required(Capability.SUPPORT, Capability.OPERATE)
def all_orders(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every member's orders, for those who help."""
    return render(
        request, "exchange/orders.html", {"listing": listing(queries.visible_to(actor), request), "is_staff": True}
    )


@actor_required(Capability.TRADE)
def order_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The order ticket: filled in, confirmed with its worst case, placed."""
    if request.method != "POST":
        form = OrderForm(actor=actor, initial=_suggestions(request))
        return _ticket(request, actor, form)
    form = OrderForm(request.POST, actor=actor)
    if not form.is_valid():
        return _ticket(request, actor, form, status=400)
    spec = form.spec()
    try:
        shown = _rehearse(actor, spec)
        if request.POST.get("confirmed") != shown.digest:
            return _ticket(request, actor, form, shown=shown)
        order = services.place(actor, spec, now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return _ticket(request, actor, form, status=422)
    messages.success(request, _("The order is in the book. Its funds are held until the round decides."))
    return redirect("order", order_id=order.id)


@actor_required(Capability.VIEW_BUYING, Capability.SUPPORT, Capability.OPERATE)
def order(request: HttpRequest, actor: Actor, order_id: UUID) -> HttpResponse:
    """One order: what it says, where it stands, what it got."""
    return _detail(request, actor, queries.get(actor, order_id), RaiseForm())


@require_POST
@actor_required(Capability.TRADE)
def order_raise(request: HttpRequest, actor: Actor, order_id: UUID) -> HttpResponse:
    """Raise the limit of an open order."""
    form = RaiseForm(request.POST)
    if form.is_valid():
        try:
            services.amend(actor, order_id, limit_micros=form.limit_micros(), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The limit is raised; the order keeps its place."))
            return redirect("order", order_id=order_id)
    return _detail(request, actor, queries.get(actor, order_id), form, status=422)


@require_POST
@actor_required(Capability.TRADE)
def order_cancel(request: HttpRequest, actor: Actor, order_id: UUID) -> HttpResponse:
    """Cancel what is open of an order."""
    try:
        services.cancel(actor, order_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The order is cancelled and its funds are free again."))
    return redirect("order", order_id=order_id)


def _rehearse(actor: Actor, spec: OrderSpec) -> Confirmation:
    """Place the order and undo it: whatever would be refused is refused before anybody is asked to confirm."""
    now = clock.now()
    with transaction.atomic():
        order = services.place(actor, spec, now=now)
        transaction.set_rollback(True)
    market = order.market
    gate_at = market_rules.next_gate(market.terms, now)
    worst = queries.worst_case(market, spec.terms, at=now)
    # Asked again if anything that was shown has changed: what is typed, or what it comes to.
    digest = hashlib.sha256(repr((spec, worst, order.hold.amount_minor)).encode()).hexdigest()
    return Confirmation(
        market=market,
        terms=spec.terms,
        is_block=spec.kind is OrderKind.BLOCK,
        needs=wording.in_words(spec.terms.needs),
        worst=worst,
        hold_minor=order.hold.amount_minor,
        gate_at=gate_at,
        cancel_until=market_rules.cancel_deadline(market.terms, gate_at),
        digest=digest,
    )


def _ticket(
    request: HttpRequest, actor: Actor, form: OrderForm, *, shown: Confirmation | None = None, status: int = 200
) -> HttpResponse:
    wallets = ledger.wallets(actor.organisation())
    context = {"form": form, "wallets": wallets, "shown": shown}
    return render(request, "exchange/order_new.html", context, status=status)


def _detail(request: HttpRequest, actor: Actor, order: Order, form: RaiseForm, *, status: int = 200) -> HttpResponse:
    trades = (
        order.trades.select_related("offer__offering__site", "provider", "round", "contract")
        .prefetch_related("contract__leases")
        .order_by("starts_at", "id")
    )
    context = {
        "order": order,
        "form": form,
        "is_live": order.status in LIVE and order.buyer_id == actor.organisation_id and actor.can(Capability.TRADE),
        "trades": trades,
        # From the side of trades: leases are a room of their own, above orders.
        "leases": sorted(
            {lease for trade in trades for lease in trade.contract.leases.all()}, key=lambda lease: lease.id
        ),
        "needs": wording.in_words(Needs.from_document(order.needs)),
        "timeline": events.timeline(actor, "order", order.id),
        "rounds": order.rounds.select_related("round").order_by("round__scheduled_at"),
    }
    return render(request, "exchange/order.html", context, status=status)


def _suggestions(request: HttpRequest) -> dict[str, Any]:
    """What an empty ticket shows: the needs of the search it came from, and the first hours a market delivers."""
    lists = {name: request.GET.getlist(name) for name in ("models", "regions", "interconnects")}
    single = {name: value for name, value in request.GET.items() if name not in lists and name != "market"}
    first = proposals.initial(request.GET.get("market", ""), start="earliest_at", end="latest_at", now=clock.now())
    return {**first, **single, **lists}
