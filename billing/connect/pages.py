"""Where a provider has itself taken on at Stripe, and sees what was sent to it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.connect import queries, services
from billing.connect.errors import NoSuchStripeAccount
from billing.connect.models import ConnectedAccount
from billing.gateway import stripe


@actor_required(Capability.VIEW_SELLING)
def stripe_account(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where the organisation's Stripe account stands, and every transfer to it."""
    context = {
        "configured": stripe.from_settings().configured(),
        "account": _own(actor),
        "may_open": actor.can(Capability.LIST),
        "listing": listing(queries.visible_transfers(actor).filter(organisation_id=actor.organisation()), request),
    }
    return render(request, "billing/stripe_account.html", context)


@require_POST
@actor_required(Capability.LIST)
def stripe_account_continue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Have the account made if there is none, and lead to Stripe's page about the organisation."""
    now = clock.now()
    try:
        account = services.open_account(actor, now=now)
        services.finish_opening(account.id, now=now)
        link = services.ask_for_link(actor, return_to=request.build_absolute_uri(reverse("stripe_account")), now=now)
        url = services.link_url(link.id, now=now)
    except DomainError as error:
        messages.error(request, error.detail)
        return redirect("stripe_account")
    if not url:
        messages.error(request, _("Stripe gave no page. Try again later."))
    return redirect(url or "stripe_account")


def _own(actor: Actor) -> ConnectedAccount | None:
    try:
        return queries.own_account(actor)
    except NoSuchStripeAccount:
        return None
