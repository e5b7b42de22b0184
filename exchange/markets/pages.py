"""The operator's form for another calendar of a market, beside its rounds ahead."""

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from exchange.markets import queries, services
from exchange.markets.forms import CalendarForm


@require_http_methods(["GET", "HEAD", "POST"])
@actor_required(Capability.OPERATE)
def calendar(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Announce when a market's gates stand from an instant on."""
    now = clock.now()
    market = queries.by_code(code)
    latest = asdict(market.terms.schedule.calendars[-1]) | {"effective_from": None, "closed_days": ""}
    form = CalendarForm(request.POST) if request.method == "POST" else CalendarForm(initial=latest)
    if form.is_bound and form.is_valid():
        try:
            services.announce(actor, market.id, form.calendar(), now=now)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Announced. Rounds that are open already keep their gates."))
            return redirect("market_data_of", code)
    context = {"market": market, "form": form, "now": now, "coming": queries.at(market, now).coming}
    return render(request, "exchange/market_calendar.html", context, status=422 if form.is_bound else 200)
