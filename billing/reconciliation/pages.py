"""The workbench as finance works it off: what does not match now, and the breaks one by one."""

from collections.abc import Callable
from typing import Any, Final
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
from accounts.web.forms import StrictForm
from accounts.web.listing import listing
from billing.journals.rules import JournalKind
from billing.reconciliation import queries, runs, services
from billing.reconciliation.forms import AssignForm, CommentForm, ExplainForm, SettleForm
from billing.reconciliation.models import Break
from billing.reconciliation.rules import BreakStatus
from catalog.measures.money import format_minor

_SHOWN: Final[dict[str, list[str]]] = {
    "open": [BreakStatus.OPEN],
    "resolved": [one for one in BreakStatus if one is not BreakStatus.OPEN],
}


@actor_required(Capability.VIEW_BOOKS)
def unmatched_items(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every item that does not match, the oldest first, with its amount and likely cause."""
    unmatched = queries.unmatched_items(actor, now=clock.now())
    return render(request, "billing/unmatched.html", {"unmatched": unmatched})


@actor_required(Capability.VIEW_BOOKS)
def breaks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The queue: open breaks with the oldest first, or those that were resolved."""
    shown = "resolved" if request.GET.get("show") == "resolved" else "open"
    rows = queries.visible_breaks(actor).filter(status__in=_SHOWN[shown])
    context = {
        "shown": shown,
        # What is open is worked off oldest first and is all on one page; what is resolved is history.
        "rows": rows.order_by("since", "id")[: runs.PER_KIND] if shown == "open" else None,
        "listing": listing(rows, request) if shown == "resolved" else None,
        "last_run": queries.visible_runs(actor).order_by("-at", "-id").first(),
        "may_run": actor.can(Capability.OPERATE_BOOKS),
        "now": clock.now(),
    }
    return render(request, "billing/breaks.html", context)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def reconcile(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Look at everything now."""
    made = runs.run(actor, now=clock.now())
    told = {"found": made.found_count, "new": made.new_count, "gone": made.vanished_count}
    messages.success(request, _("Looked at everything: %(found)s found, %(new)s new, %(gone)s gone.") % told)
    return redirect("breaks")


@actor_required(Capability.VIEW_BOOKS)
def one_break(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """One break: what is known, its thread, and the ways to close it."""
    return _show(request, actor, break_id)


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def break_comment(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """Add a comment."""
    form = CommentForm(request.POST)
    return _work(
        request, actor, break_id, "comment", form,
        lambda: services.comment(actor, break_id, form.cleaned_data["text"], now=clock.now()),
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def break_assign(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """Give it to somebody."""
    form = AssignForm(request.POST)

    def step() -> Break:
        owner = form.cleaned_data["owner"]
        return services.assign(actor, break_id, owner.id if owner else None, now=clock.now())

    return _work(request, actor, break_id, "assign", form, step)


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def break_explain(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """Close it with an explanation."""
    form = ExplainForm(request.POST)
    return _work(
        request, actor, break_id, "explain", form,
        lambda: services.explain(actor, break_id, form.cleaned_data["explanation"], now=clock.now()),
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def break_settle(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """Propose the entry that settles it."""
    form = SettleForm(request.POST)

    def step() -> Break:
        currency = queries.one_break(actor, break_id).currency or "CNY"
        said = form.cleaned_data
        lines = form.entries(currency)
        return services.propose_settlement(
            actor, break_id, JournalKind(said["kind"]), lines, said["reason"], now=clock.now()
        )

    return _work(request, actor, break_id, "settle", form, step)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def break_approve(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """Post a colleague's entry."""
    return _work(
        request, actor, break_id, "decide", StrictForm({}),
        lambda: services.approve_settlement(actor, break_id, now=clock.now()),
    )  # fmt: skip


@require_POST
@actor_required(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def break_decline(request: HttpRequest, actor: Actor, break_id: UUID) -> HttpResponse:
    """Drop the proposed entry."""
    return _work(
        request, actor, break_id, "decide", StrictForm({}),
        lambda: services.decline_settlement(actor, break_id, now=clock.now()),
    )  # fmt: skip


def _work(
    request: HttpRequest, actor: Actor, break_id: UUID, name: str, form: StrictForm, step: Callable[[], Break]
) -> HttpResponse:
    """Take a step and come back to the break; a form that is refused is shown with the reason beside its field."""
    if form.is_valid():
        try:
            step()
        except DomainError as error:
            if name == "decide":
                messages.error(request, error.detail)
                return redirect("break", break_id)
            form.refuse(error)
        else:
            messages.success(request, _("Noted."))
            return redirect("break", break_id)
    return _show(request, actor, break_id, refused={name: form})


def _show(
    request: HttpRequest, actor: Actor, break_id: UUID, *, refused: dict[str, StrictForm] | None = None
) -> HttpResponse:
    row = queries.one_break(actor, break_id)
    amount = None if row.amount_minor is None else format_minor(abs(row.amount_minor), row.currency)
    forms: dict[str, Any] = {
        "comment": CommentForm(),
        "assign": AssignForm(initial={"owner": row.owner_id}),
        "explain": ExplainForm(),
        "settle": SettleForm(initial={"amount": amount}),
    } | (refused or {})
    context = {
        "row": row,
        "forms": forms,
        "reports": listing(queries.reports(actor, break_id), request, limit=10),
        "now": clock.now(),
        "may_work": actor.can(Capability.OPERATE_BOOKS) or actor.can(Capability.APPROVE_BOOKS),
        "may_approve": actor.can(Capability.APPROVE_BOOKS) and row.journal is not None
        and row.journal.proposed_by_id != actor.user_id,
    }  # fmt: skip
    return render(request, "billing/break.html", context, status=422 if refused else 200)
