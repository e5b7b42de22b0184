"""What the operator decides about data centres."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import Conflict
from catalog.sites import services


@require_POST
@actor_required(Capability.OPERATE)
def site_list(request: HttpRequest, actor: Actor, site_id: UUID) -> HttpResponse:
    """Show a submitted data centre to everyone."""
    try:
        site = services.list_(actor, site_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("%(name)s is now listed.") % {"name": site.name})
    return redirect("listings")
