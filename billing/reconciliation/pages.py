"""What does not match, as finance works it off."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from billing.reconciliation import queries


@actor_required(Capability.VIEW_BOOKS)
def unmatched_items(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every item that does not match, the oldest first, with its amount and likely cause."""
    unmatched = queries.unmatched_items(actor, now=clock.now())
    return render(request, "billing/unmatched.html", {"unmatched": unmatched})
