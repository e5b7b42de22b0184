"""The books as finance reads them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from billing.ledger import queries


@actor_required(Capability.VIEW_BOOKS)
def trial_balance(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Debits and credits of every code, from the entries themselves, for each currency of the books."""
    balances = [balance for currency in queries.currencies() if (balance := queries.trial_balance(currency)).rows]
    return render(request, "billing/trial_balance.html", {"balances": balances})
