"""Budgets and warnings for buyers; credit limits for finance."""

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
from accounts.organisations.models import Organisation
from accounts.projects.models import Project
from accounts.web.forms import StrictForm
from accounts.web.listing import listing
from billing.landings import queries as landings
from billing.payments.forms import money
from billing.payments.pages import CURRENCY
from billing.wallets import queries, services
from billing.wallets.forms import BudgetForm, CreditForm, ThresholdForm
from billing.wallets.rules import MAX_THRESHOLDS
from catalog.measures.money import Money


@actor_required(Capability.VIEW_BUYING)
def limits(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What each project may spend, and when the organisation is warned."""
    return _limits(request, actor, None, None)


@require_POST
@actor_required(Capability.TRADE)
def budget_set(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Set a project's budget."""
    form = _budget_form(actor, request)
    if form.is_valid():
        said = form.cleaned_data
        try:
            services.set_budget(actor, said["project"].id, money(said["limit"], CURRENCY), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The budget is set."))
            return redirect("limits")
    return _limits(request, actor, form, None)


@require_POST
@actor_required(Capability.TRADE)
def threshold_add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Warn at one more amount."""
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        return _limits(request, actor, None, form)
    kept = [Money(row.below_minor, row.currency) for row in queries.thresholds(actor)]
    added = money(form.cleaned_data["below"], CURRENCY)
    if added not in kept and len(kept) >= MAX_THRESHOLDS:
        form.add_error("below", _("There are ten already; remove one first."))
        return _limits(request, actor, None, form)
    services.set_thresholds(actor, [*kept, added], now=clock.now())
    return redirect("limits")


@require_POST
@actor_required(Capability.TRADE)
def thresholds_clear(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Warn no more."""
    services.set_thresholds(actor, [], now=clock.now())
    return redirect("limits")


@actor_required(Capability.VIEW_BOOKS)
def credit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Credit limits that were proposed; finance proposes here."""
    buyers = Organisation.objects.filter(can_buy=True).order_by("name")
    form = CreditForm(request.POST or None, organisations=buyers)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        limit = money(said["limit"], CURRENCY)
        try:
            services.propose_credit(actor, said["organisation"].id, limit, reason=said["reason"], now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("A colleague must decide now."))
            return redirect("credit")
    context = {
        "form": form,
        "listing": listing(queries.credit_changes(actor), request),
        "may_propose": actor.can(Capability.OPERATE_BOOKS),
        "may_decide": actor.can(Capability.APPROVE_BOOKS),
        "own_id": actor.user_id,
    }
    return render(request, "billing/credit.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def credit_decide(request: HttpRequest, actor: Actor, change_id: UUID) -> HttpResponse:
    """Agree to a credit limit, or not."""
    try:
        services.decide_credit(actor, change_id, is_approved=request.POST.get("answer") == "yes", now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("credit")


def _budget_form(actor: Actor, request: HttpRequest | None = None) -> BudgetForm:
    projects = Project.objects.filter(organisation_id=actor.organisation(), archived_at__isnull=True).order_by("name")
    return BudgetForm(request.POST if request else None, projects=projects)


def _limits(
    request: HttpRequest, actor: Actor, budget_form: StrictForm | None, threshold_form: StrictForm | None
) -> HttpResponse:
    context = {
        "budgets": queries.budgets(actor).order_by("project__name"),
        "thresholds": queries.thresholds(actor),
        "landings": landings.visible_to(actor).filter(organisation_id=actor.organisation()).order_by("-id")[:20],
        "budget_form": budget_form or _budget_form(actor),
        "threshold_form": threshold_form or ThresholdForm(),
        "currency": CURRENCY,
        "may_set": actor.can(Capability.MANAGE_MEMBERS),
        "may_warn": actor.can(Capability.TRADE),
    }
    refused = budget_form is not None or threshold_form is not None
    return render(request, "billing/limits.html", context, status=422 if refused else 200)
