"""Finance imports the bank's statements and sees what became of their rows."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.web.listing import listing
from billing.bank import queries, services
from billing.bank.forms import StatementForm


@actor_required(Capability.VIEW_BOOKS)
def bank_statements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every imported statement, and the form for the next."""
    form = StatementForm(request.POST, request.FILES) if request.method == "POST" else StatementForm()
    if request.method == "POST" and form.is_valid():
        name = form.name()
        try:
            imported = services.import_statement(actor, form.text(), file_name=name, now=clock.now())
        except DomainError as error:
            for problem in error.problems or [error]:
                form.add_error("file", problem.detail)
        else:
            said = _("Imported.") if imported.is_new else _("This file was imported before: nothing has changed.")
            messages.success(request, said)
            return redirect("bank_statement", imported.statement.id)
    context = {
        "form": form,
        "may_import": actor.can(Capability.OPERATE_BOOKS),
        "listing": listing(queries.visible_statements(actor), request),
    }
    return render(request, "billing/bank_statements.html", context, status=422 if form.errors else 200)


@actor_required(Capability.VIEW_BOOKS)
def bank_statement(request: HttpRequest, actor: Actor, statement_id: UUID) -> HttpResponse:
    """One statement with the movements that it brought."""
    found = listing(queries.entries(actor, statement_id), request)
    rows = [(entry, services.result_of(entry)) for entry in found.rows]
    context = {"statement": queries.statement(actor, statement_id), "listing": found, "rows": rows}
    return render(request, "billing/bank_statement.html", context)
