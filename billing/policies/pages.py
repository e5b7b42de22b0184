"""Finance sees the rules by date and what is proposed about them, and two people change them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError, NotFound
from accounts.web.listing import listing
from billing.policies import queries, services
from billing.policies.forms import TIMES, TITLES, ImportForm, RowForm
from billing.policies.kinds import KINDS
from billing.policies.rules import KindName
from catalog.measures.money import parse_minor
from catalog.templatetags import measures


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def policies(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every table of rules with its rows, and what is proposed."""
    found = listing(queries.changes(actor), request)
    context = {
        "tables": [_shown(table) for table in queries.tables(actor)],
        "listing": found,
        "changes": [
            (change, {name: _text(KindName(change.kind), change.said, name) for name in change.said})
            for change in found.rows
        ],
        "may_decide": actor.can(Capability.APPROVE_BOOKS),
        "own_id": actor.user_id,
    }
    return render(request, "billing/policies.html", context)


@actor_required(Capability.VIEW_BOOKS)
def policy(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One table with the forms that propose rows of it."""
    kind = _kind(code)
    form = RowForm(kind, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        (result,) = services.propose(actor, kind, [form.row()], reason=reason, now=clock.now())
        if not result.problems:
            messages.success(request, _("A colleague must decide now."))
            return redirect("policies")
        form.show(result)
    context = {
        "table": _shown(queries.table(actor, kind)),
        "form": form,
        "import_form": ImportForm(),
        "may_propose": actor.can(Capability.OPERATE_BOOKS),
    }
    return render(request, "billing/policy.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.OPERATE_BOOKS)
def policy_import(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Propose the rows of a file, and show what became of each."""
    kind = _kind(code)
    form = ImportForm(request.POST, request.FILES)
    results = []
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        results = services.propose_csv(actor, kind, form.text(), reason=reason, now=clock.now())
    context = {"form": form, "results": results, "heading": _("Rows proposed"), "back": "policies"}
    return render(request, "components/row_results.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.APPROVE_BOOKS)
def policy_decide(request: HttpRequest, actor: Actor, change_id: UUID) -> HttpResponse:
    """Agree to a change, or not."""
    try:
        services.decide(actor, change_id, is_approved=request.POST.get("answer") == "yes", now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
    return redirect("policies")


def _kind(code: str) -> KindName:
    try:
        return KindName(code.replace("-", "_"))
    except ValueError as error:
        raise NotFound(_("There is no such table of rules.")) from error


def _shown(table: queries.Shown) -> dict[str, object]:
    times = [name for name in TIMES if name in table.columns]
    others = [name for name in table.columns if name not in times]
    return {
        "code": table.kind.replace("_", "-"),
        "title": TITLES[table.kind],
        "columns": [name.replace("_", " ") for name in (*others, *times)],
        "names": ", ".join((*others, *times)),
        "rows": [
            {
                "texts": [
                    _text(table.kind, row, name) or (_("everybody") if name == "organisation" else "–")
                    for name in others
                ],
                "times": [datetime.fromisoformat(row[name]) if row[name] else None for name in times],
            }
            for row in table.rows
        ],
    }


def _text(kind: KindName, row: Mapping[str, str], name: str) -> str:
    """Return a cell as people read it: an amount with its groups and its currency."""
    text = row[name]
    if not text or name not in KINDS[kind].amounts:
        return text
    return measures.money(parse_minor(text, row["currency"]), row["currency"])
