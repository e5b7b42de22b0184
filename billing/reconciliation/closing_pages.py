"""The close of a month as finance does it: the months, a month's checklist, the close, and its reopening."""

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
from billing.periods import queries as periods
from billing.periods import services as period_services
from billing.periods.rules import spelled
from billing.reconciliation import clearing, closing
from billing.reconciliation.forms import ReopenForm


@actor_required(Capability.VIEW_BOOKS)
def months(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every month with postings, whether it is closed, and the accounts that must come back to zero."""
    now = clock.now()
    known = {period.month: period for period in periods.visible_periods(actor)}
    rows = [{"name": spelled(month), "period": known.get(month)} for month in closing.months(now)]
    return render(request, "billing/months.html", {"months": rows, "clearing": clearing.clearing_lines(now)})


@actor_required(Capability.VIEW_BOOKS)
def month_close(request: HttpRequest, actor: Actor, month: str) -> HttpResponse:
    """A month's checklist as it stands, and the button that closes it."""
    return _show(request, actor, month, ReopenForm())


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def month_close_now(request: HttpRequest, actor: Actor, month: str) -> HttpResponse:
    """Close it."""
    try:
        closing.close(actor, periods.month_named(month), now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("%(month)s is closed.") % {"month": month})
    return redirect("month_close", month)


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def month_reopen(request: HttpRequest, actor: Actor, month: str) -> HttpResponse:
    """Ask a colleague to open it again."""
    form = ReopenForm(request.POST)
    if form.is_valid():
        try:
            period_services.request_reopening(
                actor, periods.month_named(month), form.cleaned_data["reason"], now=clock.now()
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Asked. A colleague has to approve it."))
            return redirect("month_close", month)
    return _show(request, actor, month, form)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def month_reopening_decide(request: HttpRequest, actor: Actor, reopening_id: UUID) -> HttpResponse:
    """Approve a colleague's request, or decline it."""
    try:
        decided = period_services.decide_reopening(
            actor, reopening_id, approve="approve" in request.POST, now=clock.now()
        )
    except DomainError as error:
        messages.error(request, error.detail)
        return redirect("months")
    messages.success(request, _("The request is %(status)s.") % {"status": decided.status})
    return redirect("month_close", spelled(decided.period.month))


def _show(request: HttpRequest, actor: Actor, month: str, form: ReopenForm) -> HttpResponse:
    named = periods.month_named(month)
    period = periods.visible_periods(actor).filter(month=named).first()
    is_closed = periods.is_closed(named)
    checks = closing.checklist(actor, named, now=clock.now())
    waiting = periods.waiting_reopening(named)
    context = {
        "month": month,
        "period": period,
        "is_closed": is_closed,
        "checks": checks,
        "ready": all(check.passes for check in checks),
        "waiting": waiting,
        "form": form,
        "may_ask": actor.can(Capability.OPERATE_BOOKS) or actor.can(Capability.APPROVE_BOOKS),
        "may_close": actor.can(Capability.APPROVE_BOOKS),
        "may_decide": actor.can(Capability.APPROVE_BOOKS)
        and waiting is not None
        and waiting.requested_by_id != actor.user_id,
    }
    return render(request, "billing/month_close.html", context, status=422 if form.errors else 200)
