"""The order ticket: filled in, looked at against the open book, confirmed with its worst case, placed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from billing.contracts.rules import WorstCase
from billing.ledger import queries as ledger
from catalog.offerings import wording
from exchange.markets import proposals
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders import queries as order_queries
from exchange.orders import services as orders
from exchange.orders.forms import OrderForm
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms
from exchange.previews import queries
from exchange.previews import wording as preview_words
from exchange.previews.queries import Preview


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
    seen = _seen(actor, spec)
    try:
        shown = _rehearse(actor, spec)
        if request.POST.get("confirmed") != shown.digest:
            return _ticket(request, actor, form, shown=shown, seen=seen)
        order = orders.place(actor, spec, now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return _ticket(request, actor, form, seen=seen, status=422)
    messages.success(request, _("The order is in the book. Its funds are held until the round decides."))
    return redirect("order", order_id=order.id)


def _rehearse(actor: Actor, spec: OrderSpec) -> Confirmation:
    """Place the order and undo it: whatever would be refused is refused before anybody is asked to confirm."""
    now = clock.now()
    with transaction.atomic():
        order = orders.place(actor, spec, now=now)
        transaction.set_rollback(True)
    market = order.market
    gate_at = market_rules.next_gate(market.terms, now)
    worst = order_queries.worst_case(market, spec.terms, at=now)
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


def _seen(actor: Actor, spec: OrderSpec) -> Preview | None:
    """Return what the order would meet in the book; None for what is no order, which placing it says in full."""
    try:
        return queries.preview(actor, spec, now=clock.now())
    except DomainError:
        return None


def _ticket(
    request: HttpRequest,
    actor: Actor,
    form: OrderForm,
    *,
    shown: Confirmation | None = None,
    seen: Preview | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "wallets": ledger.wallets(actor.organisation()),
        "shown": shown,
        "seen": seen,
    }
    if seen is not None:
        context |= {
            "alternatives": preview_words.alternatives(seen),
            "reasons": preview_words.reasons(seen),
            "outlook": preview_words.OUTLOOKS[seen.share.outlook],
            "price_source": preview_words.PRICE_SOURCES[seen.estimate.source] if seen.estimate else "",
        }
    return render(request, "exchange/order_new.html", context, status=status)


def _suggestions(request: HttpRequest) -> dict[str, Any]:
    """What an empty ticket shows: the needs of the search it came from, and the first hours a market delivers."""
    lists = {name: request.GET.getlist(name) for name in ("models", "regions", "interconnects")}
    single = {name: value for name, value in request.GET.items() if name not in lists and name != "market"}
    first = proposals.initial(request.GET.get("market", ""), start="earliest_at", end="latest_at", now=clock.now())
    return {**first, **single, **lists}
