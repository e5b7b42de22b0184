"""Buyers ask for fapiao and see what became of them."""

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
from accounts.web.listing import listing
from billing.fapiao import queries, services, titles
from billing.fapiao.forms import AskForm, TitleForm
from billing.fapiao.rules import MAX_INVOICES, Kind
from billing.fapiao.titles import TitleSpec


@actor_required(Capability.VIEW_BUYING)
def my_fapiao(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's fapiao and titles, and the form that asks for one."""
    form = _ask_form(actor, request if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        chosen = [invoice.id for invoice in said["invoices"]]
        try:
            asked = services.ask(actor, said["title"].id, Kind(said["kind"]), chosen, now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The fapiao is asked for."))
            return redirect("fapiao", asked.id)
    return _mine(request, actor, form, TitleForm())


@require_POST
@actor_required(Capability.TRADE)
def title_enter(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Enter a title."""
    form = TitleForm(request.POST)
    if form.is_valid():
        try:
            titles.enter(actor, TitleSpec(**form.said()), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The title is entered."))
            return redirect("my_fapiao")
    return _mine(request, actor, _ask_form(actor), form)


@require_POST
@actor_required(Capability.TRADE)
def title_end(request: HttpRequest, actor: Actor, title_id: UUID) -> HttpResponse:
    """Make nothing more out to a title."""
    try:
        titles.end(actor, title_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("my_fapiao")


@require_safe
@actor_required(Capability.VIEW_BUYING)
def one_fapiao(request: HttpRequest, actor: Actor, fapiao_id: UUID) -> HttpResponse:
    """One fapiao with what it is over."""
    return render(request, "billing/fapiao.html", {"fapiao": queries.one(actor, fapiao_id)})


def _ask_form(actor: Actor, request: HttpRequest | None = None) -> AskForm:
    return AskForm(
        request.POST if request else None,
        titles=queries.titles(actor).filter(organisation_id=actor.organisation(), ended_at=None).order_by("name"),
        invoices=queries.requestable(actor)[:MAX_INVOICES] if request is None else queries.requestable(actor),
    )


def _mine(request: HttpRequest, actor: Actor, form: AskForm, title_form: TitleForm) -> HttpResponse:
    own = actor.organisation()
    context = {
        "form": form,
        "title_form": title_form,
        "titles": queries.titles(actor).filter(organisation_id=own, ended_at=None).order_by("name"),
        "listing": listing(queries.visible_to(actor).filter(organisation_id=own), request),
        "may_ask": actor.can(Capability.TRADE),
    }
    status = 422 if form.errors or title_form.errors else 200
    return render(request, "billing/my_fapiao.html", context, status=status)
