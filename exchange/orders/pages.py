"""Orders as a buyer follows them. The ticket on which one is placed is exchange.previews.pages."""

from uuid import UUID

from django.contrib import messages
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
from catalog.offerings import wording
from catalog.offerings.needs import Needs
from exchange.orders import queries, services
from exchange.orders.forms import RaiseForm
from exchange.orders.models import Order
from exchange.orders.rules import LIVE


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
        "odds": order.odds.select_related("indication").order_by("indication__taken_at").last()
        if order.status in LIVE
        else None,
        "rounds": order.rounds.select_related("round").order_by("round__scheduled_at"),
    }
    return render(request, "exchange/order.html", context, status=status)
