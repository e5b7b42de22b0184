"""Entries by hand, as finance proposes and posts them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.journals import queries, services
from billing.journals.forms import JournalForm
from billing.journals.rules import JournalKind

CURRENCY = "CNY"


@actor_required(Capability.VIEW_BOOKS)
def journals(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every entry by hand, newest first, and a form to propose one."""
    form = JournalForm(request.POST or None, initial={"effective_at": clock.now()})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            services.propose(
                actor,
                JournalKind.ADJUSTMENT,
                form.entries(CURRENCY),
                currency=CURRENCY,
                reason=said["reason"],
                effective_at=said["effective_at"],
                now=clock.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Proposed. A colleague has to approve it."))
            return redirect("journals")
    context = {
        "listing": listing(queries.visible_journals(actor), request),
        "form": form,
        "currency": CURRENCY,
        "may_propose": actor.can(Capability.OPERATE_BOOKS) or actor.can(Capability.APPROVE_BOOKS),
        "may_approve": actor.can(Capability.APPROVE_BOOKS),
        "own_id": actor.user_id,
    }
    return render(request, "billing/journals.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def journal_approve(request: HttpRequest, actor: Actor, journal_id: UUID) -> HttpResponse:
    """Post a colleague's entry."""
    try:
        services.approve(actor, journal_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Posted."))
    return redirect("journals")


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def journal_decline(request: HttpRequest, actor: Actor, journal_id: UUID) -> HttpResponse:
    """Refuse an entry, or withdraw one's own."""
    try:
        services.decline(actor, journal_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Declined; nothing was posted."))
    return redirect("journals")
