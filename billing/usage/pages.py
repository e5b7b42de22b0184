"""Usage as it was reported and accepted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.web.listing import listing
from billing.usage import queries


@require_safe
@actor_required(Capability.VIEW_BUYING, Capability.VIEW_SELLING)
def usage(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every accepted report about the organisation's contracts, newest first."""
    return render(request, "billing/usage.html", {"listing": listing(queries.visible_to(actor), request)})
