"""Where Stripe brings its messages, and where finance sees what became of them."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.gateway import stripe
from billing.gateway.errors import ForgedNotice, GatewayAbsent, UnreadableNotice
from billing.webhooks import services
from billing.webhooks.forms import SetAsideForm
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import MAX_BODY_BYTES, EventState

_PLAIN: Final = "text/plain; charset=utf-8"


@csrf_exempt  # the signature says who sends it
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a message that Stripe has signed, then answer; everything else happens afterwards.

    400 for what is not signed by Stripe or older than 300 s, 413 for what is too large, 404 without a Stripe account.
    """
    length = request.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
        return HttpResponse(
            "The message is too large, or does not say how large it is.", status=413, content_type=_PLAIN
        )
    try:
        # The raw body, before anything parses it: the signature is over exactly these bytes.
        notice = stripe.from_settings().notice(request.body, request.headers.get("Stripe-Signature", ""))
    except GatewayAbsent as error:
        return HttpResponse(error.detail, status=404, content_type=_PLAIN)
    except (ForgedNotice, UnreadableNotice) as error:
        return HttpResponse(error.detail, status=400, content_type=_PLAIN)
    if not services.belongs_here(notice):
        return HttpResponse("The message is of another account or mode.", status=400, content_type=_PLAIN)
    services.receive(notice, now=clock.now())
    return HttpResponse("stored", content_type=_PLAIN)


@actor_required(Capability.VIEW_BOOKS)
def messages_of_stripe(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The messages that wait for a person, or all of them."""
    shown = "all" if request.GET.get("show") == "all" else "parked"
    rows = StripeEvent.objects.all() if shown == "all" else StripeEvent.objects.filter(state=EventState.PARKED)
    context = {
        "shown": shown,
        "listing": listing(rows, request),
        "form": SetAsideForm(),
        "may_operate": actor.can(Capability.OPERATE_BOOKS),
    }
    return render(request, "billing/stripe_messages.html", context)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def set_aside(request: HttpRequest, actor: Actor, event_id: UUID) -> HttpResponse:
    """Note why a parked message is of no concern here."""
    form = SetAsideForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why it is of no concern here."))
        return redirect("stripe_messages")
    try:
        services.set_aside(actor, event_id, form.cleaned_data["reason"], now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Set aside."))
    return redirect("stripe_messages")
