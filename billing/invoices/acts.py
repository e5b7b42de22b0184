"""What a person may do about an invoice on its page: each act takes one reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors.actor import Actor, Capability
from billing.invoices import claims, corrections
from billing.invoices.models import Invoice, WriteOff
from billing.invoices.rules import DISPUTABLE, OPEN, InvoiceKind, InvoiceStatus, Resolution, outstanding

Verb = Callable[[Actor, UUID, str, datetime], Invoice]


@dataclass(frozen=True)
class Act:
    """One act: its name in addresses, its words, who may do it, when it is offered, and what it does."""

    name: str
    label: str | Promise
    capability: Capability
    is_offered: Callable[[Invoice, datetime], bool]
    verb: Verb
    takes_reason: bool = True
    # Whose colleague has to do it.
    proposer_id: Callable[[Invoice], UUID | None] = lambda _: None


def _dispute(actor: Actor, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    return claims.dispute(actor, invoice_id, reason=reason, now=now)


def _uphold(actor: Actor, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    return claims.resolve(actor, invoice_id, Resolution.UPHELD, reason=reason, now=now)


def _reject(actor: Actor, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    return claims.resolve(actor, invoice_id, Resolution.REJECTED, reason=reason, now=now)


def _take_back(actor: Actor, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    return corrections.credit_invoice(actor, invoice_id, reason=reason, now=now)


def _ask_write_off(actor: Actor, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    return claims.ask_write_off(actor, invoice_id, reason=reason, now=now)


def _approve_write_off(actor: Actor, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    return claims.approve_write_off(actor, invoice_id, now=now)


def _may_be_disputed(invoice: Invoice, now: datetime) -> bool:
    return invoice.status in DISPUTABLE and not _is_disputed(invoice, now) and now < claims.disputable_until(invoice)


def _is_disputed(invoice: Invoice, now: datetime) -> bool:
    return invoice.disputes.filter(resolved_at__isnull=True).exists()


def _may_be_upheld(invoice: Invoice, now: datetime) -> bool:
    return any(claims.is_credited(dispute) for dispute in invoice.disputes.filter(resolved_at__isnull=True))


def _may_be_taken_back(invoice: Invoice, now: datetime) -> bool:
    return invoice.status != InvoiceStatus.WRITTEN_OFF and invoice.credited_minor < invoice.total_minor


def _may_be_given_up(invoice: Invoice) -> bool:
    return invoice.status in OPEN - {InvoiceStatus.ISSUED} and outstanding(invoice) > 0


def _write_off_may_be_asked(invoice: Invoice, now: datetime) -> bool:
    return _may_be_given_up(invoice) and not invoice.write_offs.exists()


def _write_off_is_asked(invoice: Invoice, now: datetime) -> bool:
    return _may_be_given_up(invoice) and proposed_write_off(invoice) is not None


def proposed_write_off(invoice: Invoice) -> WriteOff | None:
    """Return the write-off that waits for a second person."""
    return invoice.write_offs.filter(approved_at__isnull=True).select_related("asked_by").first()


def _asked_by(invoice: Invoice) -> UUID | None:
    proposed = proposed_write_off(invoice)
    return None if proposed is None else proposed.asked_by_id


ACTS: Final = (
    Act("dispute", _("Dispute this invoice"), Capability.TRADE, _may_be_disputed, _dispute),
    Act("uphold", _("Uphold the dispute"), Capability.OPERATE_BOOKS, _may_be_upheld, _uphold),
    Act("reject", _("Reject the dispute"), Capability.OPERATE_BOOKS, _is_disputed, _reject),
    Act(
        "take-back",
        _("Issue a credit note over all that is left"),
        Capability.OPERATE_BOOKS,
        _may_be_taken_back,
        _take_back,
    ),
    Act(
        "write-off",
        _("Propose to write it off"),
        Capability.OPERATE_BOOKS,
        _write_off_may_be_asked,
        _ask_write_off,
    ),
    Act(
        "approve-write-off",
        _("Approve the write-off"),
        Capability.APPROVE_BOOKS,
        _write_off_is_asked,
        _approve_write_off,
        takes_reason=False,
        proposer_id=_asked_by,
    ),
)
BY_NAME: Final = {act.name: act for act in ACTS}


def offered(actor: Actor, invoice: Invoice, *, now: datetime) -> list[Act]:
    """Return what an actor is offered on the page of an invoice; what he proposed himself is for a colleague."""
    if invoice.kind != InvoiceKind.CUSTOMER:
        return []
    own = invoice.organisation_id == actor.organisation_id
    return [
        act
        for act in ACTS
        if actor.can(act.capability)
        and (own or act.capability != Capability.TRADE)
        and act.is_offered(invoice, now)
        and (actor.user_id is None or act.proposer_id(invoice) != actor.user_id)
    ]
