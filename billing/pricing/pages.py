"""Finance sees what changes prices, and gives vouchers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.web.listing import listing
from billing.pricing import imports, queries
from billing.pricing.forms import VouchersForm


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def vouchers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every voucher with what is used of it."""
    context = {
        "listing": listing(queries.vouchers_held(actor), request),
        "form": VouchersForm(),
        "may_issue": actor.can(Capability.OPERATE_BOOKS),
    }
    return render(request, "billing/vouchers.html", context)


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def customer_classes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The classes that providers count their buyers in."""
    return render(request, "billing/customer_classes.html", {"listing": listing(queries.classes_given(actor), request)})


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def price_adjustments(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What classes and qualities of service pay of rate cards."""
    found = queries.adjustments_made(actor).select_related("offering__provider")
    return render(request, "billing/price_adjustments.html", {"listing": listing(found, request)})


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def voucher_import(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Issue the vouchers of a file, and show what became of each row."""
    form = VouchersForm(request.POST, request.FILES)
    results = imports.issue_csv(actor, form.text(), now=clock.now()) if form.is_valid() else []
    context = {"form": form, "results": results, "heading": _("Vouchers issued"), "back": "vouchers"}
    return render(request, "components/row_results.html", context, status=422 if form.errors else 200)
