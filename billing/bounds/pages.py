"""The parked accounts, as finance sees and releases them."""

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
from accounts.web.listing import listing
from billing.bounds import queries, services
from billing.bounds.serializers import ParkingOut

REASON_LENGTH = 500


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def parked(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every account that is or was parked, newest first, and the bounds in force."""
    found = listing(queries.visible_parkings(actor), request)
    context = {
        "listing": found,
        "rows": [{"parking": one, "breaches": ParkingOut.spelled(one)} for one in found.rows],
        "bounds": queries.visible_bounds(actor).filter(effective_from__lte=clock.now())[:20],
        "may_release": actor.can(Capability.OPERATE_BOOKS) or actor.can(Capability.APPROVE_BOOKS),
        "may_approve": actor.can(Capability.APPROVE_BOOKS),
        "own_id": actor.user_id,
    }
    return render(request, "billing/parked.html", context)


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def parked_release(request: HttpRequest, actor: Actor, parking_id: UUID) -> HttpResponse:
    """Release one, or ask a colleague to."""
    try:
        reason = reason_of(request, most=REASON_LENGTH)
        parking = services.release(actor, parking_id, reason=reason, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        asked = _("Asked. A colleague has to release it.")
        messages.success(request, asked if parking.is_open else _("Released; what waited is billed now."))
    return redirect("parked_accounts")
