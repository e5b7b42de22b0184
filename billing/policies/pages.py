"""Finance sees the tax table and what is proposed about it, and two people change it."""

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
from billing.policies import queries, services
from billing.policies.forms import ImportForm, TaxRateForm
from billing.policies.rules import KindName


@actor_required(Capability.VIEW_BOOKS)
def tax_rates(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The tax table, the proposals, and the forms that propose."""
    form = TaxRateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        (result,) = services.propose(
            actor, KindName.TAX_RATE, [form.row()], reason=form.cleaned_data["reason"], now=clock.now()
        )
        if not result.problems:
            messages.success(request, _("A colleague must decide now."))
            return redirect("tax_rates")
        form.show(result)
    context = {
        "form": form,
        "import_form": ImportForm(),
        "rates": queries.tax_rates().order_by("jurisdiction", "category", "-effective_from"),
        "listing": listing(queries.changes(actor), request),
        "may_propose": actor.can(Capability.OPERATE_BOOKS),
        "may_decide": actor.can(Capability.APPROVE_BOOKS),
        "own_id": actor.user_id,
    }
    return render(request, "billing/tax_rates.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def policy_import(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Propose the rows of a file, and show what became of each."""
    form = ImportForm(request.POST, request.FILES)
    results = []
    if form.is_valid():
        said = form.cleaned_data
        results = services.propose_csv(
            actor, KindName(said["kind"]), form.text(), reason=said["reason"], now=clock.now()
        )
    context = {"form": form, "results": results, "heading": _("Rows proposed"), "back": "tax_rates"}
    return render(request, "components/row_results.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def policy_decide(request: HttpRequest, actor: Actor, change_id: UUID) -> HttpResponse:
    """Agree to a change, or not."""
    try:
        services.decide(actor, change_id, is_approved=request.POST.get("answer") == "yes", now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("tax_rates")
