"""Invoices and statements as documents to read and print."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError, NotFound
from accounts.web.forms import reason_of
from accounts.web.listing import listing
from billing.contracts import queries as contracts
from billing.contracts.rules import OVER
from billing.invoices import acts, queries, services
from billing.invoices.rules import Side
from catalog.measures.units import unit

REASON_LENGTH = 200


@dataclass(frozen=True)
class _Refused:
    """An act that was declined: what was typed stays, and what is wrong stands beside it."""

    act: str
    reason: str
    error: str


@require_safe
@actor_required(Capability.VIEW_BUYING)
def invoices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's invoices, and its contracts with what is not invoiced yet."""
    buyer_id = actor.organisation()
    running = contracts.visible_to(actor).filter(buyer_id=buyer_id).exclude(status__in=OVER).order_by("-id")
    context = {
        "listing": listing(queries.visible_to(actor, Side.CUSTOMER).filter(organisation_id=buyer_id), request),
        "running": running,
        "may_ask": actor.can(Capability.TRADE),
        "heading": _("Invoices"),
        "document_route": "invoice",
    }
    return render(request, "billing/documents.html", context)


@require_safe
@actor_required(Capability.VIEW_SELLING)
def statements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organisation's self-billing statements."""
    found = queries.visible_to(actor, Side.PROVIDER).filter(organisation_id=actor.organisation())
    context = {"listing": listing(found, request), "heading": _("Statements"), "document_route": "statement"}
    return render(request, "billing/documents.html", context)


@require_safe
@actor_required(Capability.VIEW_BOOKS)
def all_invoices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every invoice, or every statement, for those who keep the books."""
    side = Side.PROVIDER if request.GET.get("side") == Side.PROVIDER else Side.CUSTOMER
    context = {
        "listing": listing(queries.visible_to(actor, side), request),
        "heading": _("All statements") if side is Side.PROVIDER else _("All invoices"),
        "document_route": "statement" if side is Side.PROVIDER else "invoice",
        "is_finance": True,
    }
    return render(request, "billing/documents.html", context)


@require_POST
@actor_required(Capability.TRADE)
def invoice_now(request: HttpRequest, actor: Actor, contract_id: UUID) -> HttpResponse:
    """Invoice what a contract delivered since its last invoice."""
    try:
        drawn = services.invoice_on_demand(actor, contract_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.detail)
        return redirect("invoices")
    messages.success(request, _("Invoice %(number)s is drawn and paid from the wallet.") % {"number": drawn.number})
    return redirect("invoice", invoice_id=drawn.id)


@never_cache
@require_safe
@actor_required(Capability.VIEW_BUYING, Capability.VIEW_BOOKS, Capability.SUPPORT)
def invoice(request: HttpRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    """Show one invoice or credit note."""
    return _document(request, actor, Side.CUSTOMER, invoice_id, "billing/invoice.html")


@require_POST
@actor_required(Capability.TRADE, Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
def invoice_act(request: HttpRequest, actor: Actor, invoice_id: UUID, code: str) -> HttpResponse:
    """Do one of the acts that the page of an invoice offers."""
    act = acts.BY_NAME.get(code)
    if act is None:
        raise NotFound(_("There is no such act."))
    try:
        reason = reason_of(request, most=REASON_LENGTH) if act.takes_reason else ""
        done = act.verb(actor, invoice_id, reason, clock.now())
    except DomainError as error:
        refused = _Refused(code, request.POST.get("reason", ""), error.detail)
        return _document(request, actor, Side.CUSTOMER, invoice_id, "billing/invoice.html", refused=refused)
    messages.success(request, _("Done: %(number)s is %(status)s.") % {"number": done.number, "status": done.status})
    return redirect("invoice", invoice_id=done.id)


@never_cache
@require_safe
@actor_required(Capability.VIEW_SELLING, Capability.VIEW_BOOKS, Capability.SUPPORT)
def statement(request: HttpRequest, actor: Actor, statement_id: UUID) -> HttpResponse:
    """Show one self-billing statement."""
    return _document(request, actor, Side.PROVIDER, statement_id, "billing/statement.html")


def _document(
    request: HttpRequest,
    actor: Actor,
    side: Side,
    document_id: UUID,
    template: str,
    *,
    refused: _Refused | None = None,
) -> HttpResponse:
    document = queries.one(actor, side, document_id)
    offered = acts.offered(actor, document, now=clock.now())
    if refused is not None and refused.act not in {act.name for act in offered}:
        messages.error(request, refused.error)  # it has no form any more to stand beside
    lines = [{"line": line, "unit_name": unit(line.unit).name_en} for line in document.lines.all()]
    context = {
        "document": document,
        "lines": lines,
        "taxes": list(document.taxes.all()),
        "notes": list(document.notes.order_by("n")),
        "reminders": list(document.reminders.select_related("level").order_by("level")),
        "acts": offered,
        "refused": refused,
        "write_off": acts.proposed_write_off(document) if actor.can(Capability.VIEW_BOOKS) else None,
        "may_collect": actor.can(Capability.TRADE) or actor.can(Capability.OPERATE_BOOKS),
    }
    return render(request, template, context, status=200 if refused is None else 422)
