"""What a dispute means for the provider: its part of the disputed invoice is not paid before there is an answer.

The part is what a credit note over the invoice would take from the statement. Where the dispute comes before the
statement, the statement brings the hold with it; both lock the contract first, so that one of them sees the other.
"""

from datetime import datetime

from billing.contracts.models import Contract
from billing.invoices import corrections
from billing.invoices.models import Invoice, InvoiceDispute
from billing.invoices.rules import InvoiceKind, InvoiceStatus
from billing.payouts import holds


def hold_for(dispute: InvoiceDispute, contract: Contract, *, now: datetime) -> None:
    """Hold the provider's part of a disputed invoice, if its contract has a statement; the contract is locked."""
    statements = Invoice.objects.filter(contract=contract, kind=InvoiceKind.PROVIDER_STATEMENT)
    statement = statements.exclude(status=InvoiceStatus.DRAFT).first()
    if statement is not None:
        part_minor = corrections.provider_part(dispute.invoice, contract, statement)
        holds.hold(dispute.id, statement.id, amount_minor=part_minor, now=now)


def hold_open(contract: Contract, *, now: datetime) -> None:
    """Hold the provider's part of what is disputed already, as its statement is issued; the contract is locked."""
    waiting = InvoiceDispute.objects.filter(invoice__contract=contract, resolved_at__isnull=True)
    for dispute in waiting.select_related("invoice").order_by("id"):
        hold_for(dispute, contract, now=now)
