"""Invoices and statements as documents to read and print."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from billing.invoices import queries
from billing.invoices.rules import Side
from catalog.measures.units import unit


@never_cache
@require_safe
@actor_required(Capability.VIEW_BUYING, Capability.VIEW_BOOKS, Capability.SUPPORT)
def invoice(request: HttpRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    """Show one invoice or credit note."""
    return _document(request, actor, Side.CUSTOMER, invoice_id, "billing/invoice.html")


@never_cache
@require_safe
@actor_required(Capability.VIEW_SELLING, Capability.VIEW_BOOKS, Capability.SUPPORT)
def statement(request: HttpRequest, actor: Actor, statement_id: UUID) -> HttpResponse:
    """Show one self-billing statement."""
    return _document(request, actor, Side.PROVIDER, statement_id, "billing/statement.html")


def _document(request: HttpRequest, actor: Actor, side: Side, document_id: UUID, template: str) -> HttpResponse:
    document = queries.one(actor, side, document_id)
    lines = [{"line": line, "unit_name": unit(line.unit).name_en} for line in document.lines.all()]
    return render(request, template, {"document": document, "lines": lines, "taxes": list(document.taxes.all())})
