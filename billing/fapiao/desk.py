"""Finance sees which fapiao are outstanding, and records, refuses and reverses them."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.fapiao import imports, queries, reds, services
from billing.fapiao.forms import ReasonForm, RecordForm, RecordsForm, RedLetterForm
from billing.fapiao.models import Fapiao
from billing.fapiao.rules import WAITING, Issued, Status
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind


@actor_required(Capability.VIEW_BOOKS)
def fapiao_queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits, or everything; and credit notes whose red letter is missing."""
    shows_all = request.GET.get("show") == "all"
    found = queries.visible_to(actor)
    context = {
        "listing": listing(found if shows_all else found.filter(status__in=list(WAITING)), request),
        "shows_all": shows_all,
        "lacking": reds.lacking().select_related("organisation", "corrects").order_by("id")[:50],
        "form": RecordsForm(),
        "may_record": actor.can(Capability.OPERATE_BOOKS),
    }
    return render(request, "billing/fapiao_queue.html", context)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def fapiao_import(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Record the rows of a file, and show what became of each."""
    form = RecordsForm(request.POST, request.FILES)
    results = imports.record_rows(actor, form.text(), now=clock.now()) if form.is_valid() else []
    context = {"form": form, "results": results, "heading": _("Records of fapiao"), "back": "fapiao_queue"}
    return render(request, "components/row_results.html", context, status=422 if form.errors else 200)


@actor_required(Capability.VIEW_BOOKS)
def fapiao_work(request: HttpRequest, actor: Actor, fapiao_id: UUID) -> HttpResponse:
    """One fapiao; finance records here what was issued."""
    form = RecordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        issued = Issued(
            said["number"],
            said["issued_on"],
            form.total_minor(),
            said["file_url"] or "",
            said["file_sha256"] or "",
        )
        try:
            services.record(actor, fapiao_id, issued, now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Recorded."))
            return redirect("fapiao_work", fapiao_id)
    fapiao = queries.one(actor, fapiao_id)
    may_act = actor.can(Capability.OPERATE_BOOKS)
    context = {
        "fapiao": fapiao,
        "form": form,
        "refusal_form": ReasonForm(),
        "red_form": RedLetterForm(invoices=_live_invoices(fapiao)),
        "may_record": may_act and fapiao.status in WAITING,
        "may_begin": may_act and fapiao.status == Status.REQUESTED,
        "may_reverse": may_act and fapiao.status == Status.ISSUED and fapiao.red_of_id is None,
        "is_desk": True,
    }
    return render(request, "billing/fapiao.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def fapiao_begin(request: HttpRequest, actor: Actor, fapiao_id: UUID) -> HttpResponse:
    """Note that it is being issued."""
    try:
        services.begin(actor, fapiao_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("fapiao_work", fapiao_id)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def fapiao_refuse(request: HttpRequest, actor: Actor, fapiao_id: UUID) -> HttpResponse:
    """Decline it with a reason."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why, in at most %(most)s characters.") % {"most": 200})
        return redirect("fapiao_work", fapiao_id)
    try:
        services.refuse(actor, fapiao_id, reason=form.cleaned_data["reason"], now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("fapiao_work", fapiao_id)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def fapiao_red_letter(request: HttpRequest, actor: Actor, fapiao_id: UUID) -> HttpResponse:
    """Ask for a red letter: over a mistake, or again for credit notes."""
    form = RedLetterForm(request.POST, invoices=_live_invoices(queries.one(actor, fapiao_id)))
    again = request.POST.get("cause") == "credit_note"
    if not again and not form.is_valid():
        messages.error(request, _("Say why, in at most %(most)s characters.") % {"most": 200})
        return redirect("fapiao_work", fapiao_id)
    try:
        if again:
            reds.ask_again(actor, fapiao_id, now=clock.now())
        else:
            chosen = [invoice.id for invoice in form.cleaned_data["invoices"]] or None
            reason = form.cleaned_data["reason"]
            reds.reverse(actor, fapiao_id, reason=reason, invoice_ids=chosen, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The red letter is asked for."))
    return redirect("fapiao_work", fapiao_id)


def _live_invoices(fapiao: Fapiao) -> QuerySet[Invoice]:
    return Invoice.objects.filter(
        fapiao_parts__fapiao=fapiao, fapiao_parts__is_live=True, kind=InvoiceKind.CUSTOMER
    ).order_by("id")
