"""The page of members."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import Conflict, DomainError, NotFound
from accounts.invitations import queries as invitations_read
from accounts.invitations import services as invitations
from accounts.invitations.forms import InviteForm
from accounts.organisations import members, queries, services
from accounts.organisations.rules import Role, roles_open_to


@never_cache  # a new invitation's link is on this page once
@require_http_methods(["GET", "POST"])
@actor_required(Capability.MANAGE_MEMBERS)
def members_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List who belongs to the organisation and invite others; the link of an invitation is shown here once."""
    organisation = queries.get(actor, actor.organisation())
    open_roles = roles_open_to(
        can_buy=organisation.can_buy, can_sell=organisation.can_sell, can_operate=organisation.can_operate
    )
    roles = [role for role in Role if role in open_roles]
    form = InviteForm(request.POST or None, roles=roles)
    link = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            issued = invitations.invite(actor, email=given["email"], role=Role(given["role"]), now=clock.now())
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            link = request.build_absolute_uri(reverse("accept_invitation", args=[issued.secret_text]))
            form = InviteForm(roles=roles)
    context = {
        "form": form,
        "link": link,
        "members": queries.members_visible_to(actor).order_by("user__email", "role"),
        "invitations": invitations_read.open_of(actor).order_by("-id"),
        "now": clock.now(),
    }
    return render(request, "accounts/members.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.MANAGE_MEMBERS)
def remove_member(request: HttpRequest, actor: Actor, membership_id: UUID) -> HttpResponse:
    """Take one role away."""
    try:
        members.remove_member(actor, membership_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The role was taken away."))
    return redirect("members")


@require_POST
@actor_required(Capability.MANAGE_MEMBERS)
def withdraw_invitation(request: HttpRequest, actor: Actor, invitation_id: UUID) -> HttpResponse:
    """Make the link of an invitation useless."""
    invitations.withdraw(actor, invitation_id, now=clock.now())
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("members")


@never_cache
@require_http_methods(["GET"])
@actor_required(Capability.OPERATE)
def organisations_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List every organisation with its status, those that wait to be admitted first."""
    context = {"applications": queries.applications(actor), "organisations": queries.visible_to(actor).order_by("name")}
    return render(request, "accounts/organisations.html", context)


_DECISIONS = {"admit": services.admit, "suspend": services.suspend, "reinstate": services.reinstate}


@require_POST
@actor_required(Capability.OPERATE)
def decide(request: HttpRequest, actor: Actor, organisation_id: UUID, decision: str) -> HttpResponse:
    """Admit, suspend or reinstate an organisation."""
    if decision not in _DECISIONS:
        raise NotFound
    try:
        organisation = _DECISIONS[decision](actor, organisation_id, now=clock.now())
    except Conflict as error:
        messages.error(request, error.detail)
    else:
        what = {"name": organisation.name, "status": organisation.status}
        messages.success(request, _("%(name)s is now %(status)s.") % what)
    return redirect("organisations")
