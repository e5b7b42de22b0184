"""One quote as its buyer sees and decides it."""

from datetime import timedelta
from typing import Final
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
from catalog.offerings import wording
from catalog.offerings.needs import Needs
from exchange.purchases import services
from exchange.quotes import queries
from exchange.quotes import services as quotes
from exchange.quotes.rules import QuoteStatus
from exchange.quotes.serializers import lines_of

# While a quote is open its page is loaded again so often, which counts the time down without a script.
_RELOAD_SECONDS: Final = 15


@actor_required(Capability.VIEW_BUYING, Capability.SUPPORT, Capability.OPERATE)
def quote(request: HttpRequest, actor: Actor, quote_id: UUID) -> HttpResponse:
    """One quote: what it holds, what it costs, how long it holds; accepted, what it became."""
    shown = queries.get(actor, quote_id)
    now = clock.now()
    left = max(0, -((now - shown.expires_at) // timedelta(seconds=1)))
    is_open = shown.status == QuoteStatus.OPEN and now < shown.expires_at
    trades = shown.trades.select_related("contract").prefetch_related("contract__leases").order_by("starts_at", "id")
    context = {
        "quote": shown,
        "lines": list(lines_of(shown)),
        "needs": wording.in_words(Needs.from_document(shown.needs)),
        "is_open": is_open,
        "has_lapsed": shown.status == QuoteStatus.OPEN and not is_open,
        "seconds_left": left,
        "valid_seconds": int((shown.expires_at - shown.created_at).total_seconds()),
        "may_decide": is_open and shown.buyer_id == actor.organisation_id and actor.can(Capability.TRADE),
        # From the side of trades: leases are a room of their own.
        "leases": sorted(
            {lease for trade in trades for lease in trade.contract.leases.all()}, key=lambda lease: lease.id
        ),
        "timeline": events.timeline(actor, "quote", shown.id),
    }
    response = render(request, "exchange/quote.html", context)
    if is_open:
        response["Refresh"] = str(min(_RELOAD_SECONDS, left + 1))
    return response


@require_POST
@actor_required(Capability.TRADE)
def quote_accept(request: HttpRequest, actor: Actor, quote_id: UUID) -> HttpResponse:
    """Buy what the quote holds."""
    try:
        services.accept(actor, quote_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Bought. The leases below are scheduled with their providers."))
    return redirect("quote", quote_id=quote_id)


@require_POST
@actor_required(Capability.TRADE)
def quote_withdraw(request: HttpRequest, actor: Actor, quote_id: UUID) -> HttpResponse:
    """Let the quote go."""
    try:
        quotes.withdraw(actor, quote_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Let go; others may have the units again."))
    return redirect("quote", quote_id=quote_id)
