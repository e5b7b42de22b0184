"""Quotes as a buyer asks for them. One quote's page is exchange.purchases.pages."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.ledger import queries as ledger
from exchange.markets import proposals
from exchange.quotes import queries, services
from exchange.quotes.forms import QuoteForm


@actor_required(Capability.VIEW_BUYING)
def quotes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's quotes, newest first."""
    found = listing(queries.visible_to(actor), request)
    return render(request, "exchange/quotes.html", {"listing": found, "may_trade": actor.can(Capability.TRADE)})


@actor_required(Capability.TRADE)
def quote_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for a firm price; what is given is shown on the quote's own page, ready to be accepted."""
    if request.method != "POST":
        return _asking(request, actor, QuoteForm(actor=actor, initial=_suggestions(request)))
    form = QuoteForm(request.POST, actor=actor)
    if not form.is_valid():
        return _asking(request, actor, form, status=400)
    try:
        quote = services.ask(actor, form.spec(), now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return _asking(request, actor, form, status=422)
    return redirect("quote", quote_id=quote.id)


def _asking(request: HttpRequest, actor: Actor, form: QuoteForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "wallets": ledger.wallets(actor.organisation())}
    return render(request, "exchange/quote_new.html", context, status=status)


def _suggestions(request: HttpRequest) -> dict[str, Any]:
    """What an empty form shows: the needs of the page it came from, and hours that can be bought at once."""
    lists = {name: request.GET.getlist(name) for name in ("models", "regions", "interconnects")}
    single = {name: value for name, value in request.GET.items() if name not in lists and name != "market"}
    first = proposals.initial(request.GET.get("market", ""), start="earliest_at", end="latest_at", now=clock.now())
    return {**first, **single, **lists}
