"""What is open of an invoice, and what was paid of it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.invoices.errors import NoSuchInvoice
from billing.invoices.models import Invoice
from billing.invoices.rules import OPEN, InvoiceStatus, Side, outstanding
from catalog.measures.money import format_minor

_PAYER: Final = Actor.system("payments")


def locked(actor: Actor, invoice_id: UUID) -> Invoice:
    """Return a customer's invoice locked for payment: any to finance, else the actor's own. Raises NoSuchInvoice."""
    invoices = Invoice.objects.select_for_update(no_key=True).filter(side=Side.CUSTOMER, id=invoice_id)
    invoices = invoices.exclude(status=InvoiceStatus.DRAFT)
    if not actor.can(Capability.OPERATE_BOOKS):
        invoices = invoices.filter(organisation_id=actor.organisation())
    found = invoices.first()
    if found is None:
        raise NoSuchInvoice
    return found


def open_minor(invoice: Invoice) -> int:
    """Return what is still to be paid; nothing of an invoice that cannot become paid any more."""
    return outstanding(invoice) if invoice.status in OPEN else 0


def pay(invoice_id: UUID, received_minor: int, *, now: datetime) -> int:
    """Note what was paid of an invoice, in the transaction of its posting; paid in full, the invoice is closed.

    Returns how much of what was received the invoice needed: less when it has been paid otherwise meanwhile.
    """
    assert received_minor > 0, received_minor
    invoice = locked(_PAYER, invoice_id)
    amount_minor = min(received_minor, open_minor(invoice))
    if amount_minor <= 0:
        return 0
    before = {"status": str(invoice.status), "paid": format_minor(invoice.paid_minor, invoice.currency)}
    invoice.paid_minor += amount_minor
    if open_minor(invoice) == 0:
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, now
    invoice.save(update_fields=["paid_minor", "status", "paid_at"])
    after = {"status": str(invoice.status), "paid": format_minor(invoice.paid_minor, invoice.currency)}
    audit.record(
        _PAYER, "invoice.pay", "invoice", invoice.id, before, after, now=now, organisation_id=invoice.organisation_id
    )
    told = after | {"invoice": ids.spell("inv", invoice.id), "number": invoice.number}
    events.emit("invoice.paid", "invoice", invoice.id, invoice.organisation_id, told, now=now)
    return amount_minor
