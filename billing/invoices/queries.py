"""Reads of invoices and statements, scoped to who asks."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.invoices.errors import NoSuchInvoice
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Side

OUTSTANDING = (InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE, InvoiceStatus.DISPUTED)
CAPABILITY_BY_SIDE = {Side.CUSTOMER: Capability.VIEW_BUYING, Side.PROVIDER: Capability.VIEW_SELLING}


def visible_to(actor: Actor, side: Side) -> QuerySet[Invoice]:
    """The issued documents of a side that an actor may see: their organisation's, and all to staff."""
    documents = Invoice.objects.filter(side=side).exclude(status=InvoiceStatus.DRAFT)
    documents = documents.select_related("organisation", "contract", "corrects")
    if actor.is_staff:
        return documents
    if actor.organisation_id is None or not actor.can(CAPABILITY_BY_SIDE[side]):
        return documents.filter(Q(pk__in=[]))
    return documents.filter(organisation_id=actor.organisation_id)


def outstanding(actor: Actor) -> QuerySet[Invoice]:
    """Return the invoices on credit that still ask for money, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return visible_to(actor, Side.CUSTOMER).filter(
        kind=InvoiceKind.CUSTOMER, status__in=OUTSTANDING, due_at__isnull=False
    )


def one(actor: Actor, side: Side, invoice_id: UUID) -> Invoice:
    """Return a document with its lines and taxes; raises NoSuchInvoice."""
    documents = visible_to(actor, side).prefetch_related("lines", "taxes")
    document = documents.filter(id=invoice_id).first()
    if document is None:
        raise NoSuchInvoice
    return document


def currency_of(invoice_id: UUID) -> str:
    """Return the currency of a document; raises NoSuchInvoice."""
    currency = Invoice.objects.filter(id=invoice_id).values_list("currency", flat=True).first()
    if currency is None:
        raise NoSuchInvoice
    return currency


def lines(actor: Actor, side: Side, invoice_id: UUID) -> QuerySet[InvoiceLine]:
    """Return the lines of a document; raises NoSuchInvoice."""
    if not visible_to(actor, side).filter(id=invoice_id).exists():
        raise NoSuchInvoice
    return InvoiceLine.objects.filter(invoice_id=invoice_id).select_related("invoice")
