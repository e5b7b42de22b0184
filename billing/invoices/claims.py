"""What happens to an invoice that is not paid: past due and reminders, a dispute, and a claim given up by two people.

A dispute holds the reminders until finance has answered it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.foundation.failures import Failures
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.terms import Terms
from billing.invoices import contested, rules, trail
from billing.invoices.errors import (
    DisputeNotCredited,
    DisputeTooLate,
    InvoiceMoveRefused,
    NoSuchDispute,
    NoSuchInvoice,
    NoSuchWriteOff,
    OwnWriteOff,
)
from billing.invoices.models import DunningLevel, DunningNotice, Invoice, InvoiceDispute, WriteOff
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Resolution
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts import holds
from catalog.measures.money import format_minor

_DUNNING: Final = Actor.system("dunning")

# --- Past due and reminders --------------------------------------------------------------------


def run_due(*, now: datetime, limit: int = 500) -> int:
    """Mark invoices past due and send the reminders that are due; returns how many invoices were touched.

    One short transaction each, safe to repeat: an invoice gets one reminder of each level. Of several levels that
    were missed only the highest goes out.
    """
    due = Invoice.objects.filter(
        kind=InvoiceKind.CUSTOMER, status__in=[InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE], due_at__lt=now
    )
    failures = Failures()
    touched = 0
    for invoice_id in due.order_by("due_at", "id").values_list("id", flat=True)[:limit]:
        with failures.kept(f"dunning invoice {invoice_id}"):
            touched += _dun(invoice_id, now=now)
    failures.raise_any()
    return touched


@transaction.atomic
def _dun(invoice_id: UUID, *, now: datetime) -> bool:
    # Looked at again under its lock: it may have been paid or disputed since.
    invoice = Invoice.objects.select_for_update(skip_locked=True, no_key=True).filter(id=invoice_id).first()
    if invoice is None or invoice.status not in {InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE}:
        return False
    assert invoice.due_at is not None, "what is not on credit is paid as it is issued"
    touched = False
    if invoice.status == InvoiceStatus.ISSUED:
        _move(_DUNNING, invoice, InvoiceStatus.PAST_DUE, now=now)
        touched = True
    sent = set(invoice.reminders.values_list("level_id", flat=True))
    reached = DunningLevel.objects.filter(days_past_due__lte=(now - invoice.due_at).days).order_by("-level").first()
    if reached is None or any(level >= reached.level for level in sent):
        return touched
    notice = DunningNotice.objects.create(
        invoice=invoice,
        level=reached,
        outstanding_minor=rules.outstanding(invoice),
        sent_at=now,
    )
    facts = {
        "level": reached.level,
        "outstanding": format_minor(notice.outstanding_minor, invoice.currency),
        "text": reached.text,
        "text_zh": reached.text_zh,
    }
    trail.tell(_DUNNING, invoice, "reminded", now=now, facts=facts)
    return True


# --- Disputes ----------------------------------------------------------------------------------


@transaction.atomic
def dispute(actor: Actor, invoice_id: UUID, *, reason: str, now: datetime) -> Invoice:
    """Object to an invoice, within the dispute days of its contract or before it is due.

    One that is paid already stays paid; finance is asked all the same. The provider's part of it is not paid out
    until there is an answer. Raises NoSuchInvoice, InvoiceMoveRefused and
    DisputeTooLate.
    """
    actor.require(Capability.TRADE)
    contract, invoice = _locked_with_contract(invoice_id)
    if invoice.organisation_id != actor.organisation():
        raise NoSuchInvoice
    is_disputed = invoice.disputes.filter(resolved_at__isnull=True).exists()
    if is_disputed or invoice.status not in rules.DISPUTABLE:
        raise InvoiceMoveRefused("disputed" if is_disputed else invoice.status, "disputed")
    until = disputable_until(invoice)
    if now >= until:
        raise DisputeTooLate(until.isoformat())
    opened = InvoiceDispute.objects.create(invoice=invoice, reason=reason, opened_by=actor.label, opened_at=now)
    contested.hold_for(opened, contract, now=now)
    if invoice.status == InvoiceStatus.PAID:
        trail.tell(actor, invoice, "disputed", now=now, facts={"reason": reason})
    else:
        _move(actor, invoice, InvoiceStatus.DISPUTED, now=now, facts={"reason": reason})
    return invoice


def disputable_until(invoice: Invoice) -> datetime:
    """Return when an issued invoice can no longer be disputed."""
    assert invoice.issued_at is not None, "a draft is nobody's to dispute"
    window = timedelta(days=Terms.from_document(invoice.contract.terms).dispute_days)
    return max(invoice.issued_at + window, invoice.due_at or invoice.issued_at)


@transaction.atomic
def resolve(actor: Actor, invoice_id: UUID, resolution: Resolution, *, reason: str, now: datetime) -> Invoice:
    """Answer a dispute; what is upheld has been credited by a note before.

    Raises NoSuchInvoice, NoSuchDispute, DisputeNotCredited.

    The invoice is owed again: from its due day on as past due. One that a credit note has settled stays paid. What was
    held of the provider's is paid with the next payout.
    """
    actor.require(Capability.OPERATE_BOOKS)
    _, invoice = _locked_with_contract(invoice_id)
    opened = InvoiceDispute.objects.select_for_update(no_key=True).filter(invoice=invoice, resolved_at__isnull=True)
    found = opened.first()
    if found is None:
        raise NoSuchDispute
    # Else the provider would be paid what the buyer is to get back.
    if resolution is Resolution.UPHELD and not is_credited(found):
        raise DisputeNotCredited(invoice.number)
    found.resolution, found.resolution_reason = resolution, reason
    found.resolved_by, found.resolved_at = actor.label, now
    found.save(update_fields=["resolution", "resolution_reason", "resolved_by", "resolved_at"])
    holds.lift(found.id, now=now)
    facts = {"resolution": str(resolution), "reason": reason}
    if invoice.status == InvoiceStatus.DISPUTED:
        is_past_due = invoice.due_at is not None and invoice.due_at < now
        wanted = InvoiceStatus.PAST_DUE if is_past_due else InvoiceStatus.ISSUED
        _move(actor, invoice, wanted, now=now, what="dispute_resolved", facts=facts)
    else:
        trail.tell(actor, invoice, "dispute_resolved", now=now, facts=facts)
    return invoice


def is_credited(dispute: InvoiceDispute) -> bool:
    """Whether a note has taken something of the invoice back since it was disputed."""
    return dispute.invoice.notes.filter(issued_at__gte=dispute.opened_at).exists()


# --- Giving up ---------------------------------------------------------------------------------


@transaction.atomic
def ask_write_off(actor: Actor, invoice_id: UUID, *, reason: str, now: datetime) -> Invoice:
    """Propose to give an overdue claim up; a colleague has to approve it. Raises NoSuchInvoice, InvoiceMoveRefused."""
    actor.require(Capability.OPERATE_BOOKS)
    invoice = _locked(invoice_id)
    asked_before = WriteOff.objects.filter(invoice=invoice).exists()
    if asked_before or invoice.status not in {InvoiceStatus.PAST_DUE, InvoiceStatus.DISPUTED}:
        raise InvoiceMoveRefused("proposed already" if asked_before else invoice.status, "proposed for write-off")
    if actor.user_id is None:
        raise NotAllowed((Capability.OPERATE_BOOKS,))  # a person stands for it
    WriteOff.objects.create(invoice=invoice, reason=reason, asked_by_id=actor.user_id, asked_at=now)
    trail.tell(actor, invoice, "write_off_asked", now=now, facts={"reason": reason})
    return invoice


@transaction.atomic
def approve_write_off(actor: Actor, invoice_id: UUID, *, now: datetime) -> Invoice:
    """Give up what is outstanding: a loss of bad debts. Raises NoSuchInvoice, NoSuchWriteOff, OwnWriteOff."""
    actor.require(Capability.APPROVE_BOOKS)
    invoice = _locked(invoice_id)
    asked = WriteOff.objects.select_for_update(no_key=True).filter(invoice=invoice, approved_at__isnull=True).first()
    if asked is None:
        raise NoSuchWriteOff
    if actor.user_id is None:
        raise NotAllowed((Capability.APPROVE_BOOKS,))
    if actor.user_id == asked.asked_by_id:
        raise OwnWriteOff
    if not rules.may_move(InvoiceStatus(invoice.status), InvoiceStatus.WRITTEN_OFF):
        raise InvoiceMoveRefused(invoice.status, "written off")
    lost_minor = rules.outstanding(invoice)
    ledger.post(
        Source("invoice", invoice.id, "write_off"),
        [debit(Code.BAD_DEBT, lost_minor), credit(Code.RECEIVABLE, lost_minor, invoice.organisation_id)],
        currency=invoice.currency,
        effective_at=now,
        now=now,
        memo=f"{invoice.number} given up",
    )
    asked.approved_by_id, asked.approved_at, asked.amount_minor = actor.user_id, now, lost_minor
    asked.save(update_fields=["approved_by", "approved_at", "amount_minor"])
    invoice.written_off_minor = lost_minor
    invoice.save(update_fields=["written_off_minor"])
    facts = {"written_off": format_minor(lost_minor, invoice.currency), "reason": asked.reason}
    _move(actor, invoice, InvoiceStatus.WRITTEN_OFF, now=now, facts=facts)
    return invoice


def _locked_with_contract(invoice_id: UUID) -> tuple[Contract, Invoice]:
    contract_id = Invoice.objects.filter(id=invoice_id).values_list("contract_id", flat=True).first()
    if contract_id is None:
        raise NoSuchInvoice
    # The contract before the invoice: its statement is issued under the same lock.
    return contracts.locked(contract_id), _locked(invoice_id)


def _locked(invoice_id: UUID) -> Invoice:
    found = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("contract")
    invoice = found.filter(id=invoice_id, kind=InvoiceKind.CUSTOMER).exclude(status=InvoiceStatus.DRAFT).first()
    if invoice is None:
        raise NoSuchInvoice
    return invoice


def _move(
    actor: Actor,
    invoice: Invoice,
    wanted: InvoiceStatus,
    *,
    now: datetime,
    what: str = "",
    facts: Mapping[str, object] | None = None,
) -> None:
    before = InvoiceStatus(invoice.status)
    if not rules.may_move(before, wanted):
        raise InvoiceMoveRefused(before, wanted)
    invoice.status = wanted
    invoice.save(update_fields=["status"])
    trail.tell(actor, invoice, what or str(wanted), now=now, before={"status": str(before)}, facts=facts)
