"""The operators' hands on rounds, as forms of the round's page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.forms import reason_of
from exchange.auctions import giving_up, watch
from exchange.rounds.models import VOID_REASON_CHARACTERS


@require_safe
@actor_required(Capability.OPERATE, Capability.SUPPORT)
def troubled_rounds(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """What is late or odd about rounds, what needs somebody now first."""
    now = clock.now()
    found = watch.troubled(now=now, since=now - watch.LOOKED_BACK)
    return render(request, "exchange/troubled_rounds.html", {"troubled": found, "now": now})


@require_POST
@actor_required(Capability.OPERATE)
def void_ask(request: HttpRequest, actor: Actor, round_id: UUID) -> HttpResponse:
    """Ask that a round be given up."""
    try:
        reason = reason_of(request, most=VOID_REASON_CHARACTERS)
        giving_up.ask(actor, round_id, reason=reason, now=clock.now())
    except DomainError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("Asked. Another operator has to confirm it; nothing stops until then."))
    return redirect("round", round_id)


@require_POST
@actor_required(Capability.OPERATE)
def void_confirm(request: HttpRequest, actor: Actor, round_id: UUID) -> HttpResponse:
    """Confirm that a round is given up."""
    try:
        giving_up.confirm(actor, round_id, now=clock.now())
    except DomainError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("The round is void; its orders go on to the next one."))
    return redirect("round", round_id)


@require_POST
@actor_required(Capability.OPERATE)
def void_decline(request: HttpRequest, actor: Actor, round_id: UUID) -> HttpResponse:
    """Decline that a round is given up."""
    try:
        giving_up.decline(actor, round_id, now=clock.now())
    except DomainError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("Declined; the round goes on."))
    return redirect("round", round_id)
