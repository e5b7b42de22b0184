"""Fapiao are asked for by buyers, and recorded as issued or refused by finance or by what the issuing service answers.

The exchange issues none itself: the number is the tax bureau's.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.foundation.errors import FieldProblem, mismatch
from billing.fapiao import opening, reds, rules, titles
from billing.fapiao.errors import (
    AtTheIssuer,
    CannotBeOnFapiao,
    FapiaoMoveRefused,
    NumberTaken,
    RecordWrong,
    TitleEnded,
    TitleIncomplete,
)
from billing.fapiao.models import Fapiao, FapiaoCall
from billing.fapiao.rules import CallState, Issued, Kind, RedCause, Status
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Side
from billing.periods.rules import BOOKS_ZONE

_MAY_BE_ON: dict[str, bool] = {
    InvoiceStatus.ISSUED: True,
    InvoiceStatus.PAST_DUE: True,
    InvoiceStatus.PAID: True,
}
_TITLE_FIELDS = ("tax_id", "address", "phone", "bank_name", "bank_account")


@transaction.atomic
def ask(actor: Actor, title_id: UUID, kind: Kind, invoice_ids: Sequence[UUID], *, now: datetime) -> Fapiao:
    """Ask for one fapiao over invoices of the actor's organisation, less what was credited of them.

    All are of one seller. Raises NoSuchTitle, TitleEnded, TitleIncomplete, CannotBeOnFapiao.
    """
    actor.require(Capability.TRADE)
    title = titles.of_own(actor, title_id)
    if title.ended_at is not None:
        raise TitleEnded
    if not title.serves(kind):
        raise TitleIncomplete([name for name in _TITLE_FIELDS if not getattr(title, name)])
    # A credit note locks its invoice first: none is drawn while we look.
    own = Invoice.objects.select_for_update(no_key=True).filter(
        id__in=invoice_ids, organisation_id=actor.organisation(), side=Side.CUSTOMER
    )
    found = {invoice.id: invoice for invoice in own.exclude(status=InvoiceStatus.DRAFT).order_by("id")}
    notes = list(Invoice.objects.filter(corrects__in=list(found)).exclude(status=InvoiceStatus.DRAFT).order_by("id"))
    problems = _problems(invoice_ids, found, notes)
    if problems:
        raise CannotBeOnFapiao(problems)
    return opening.open_blue(actor, title, kind, [*found.values(), *notes], now=now)


def _problems(invoice_ids: Sequence[UUID], found: dict[UUID, Invoice], notes: Sequence[Invoice]) -> list[FieldProblem]:
    problems = []
    first = next((found[invoice_id] for invoice_id in invoice_ids if invoice_id in found), None)
    for index, invoice_id in enumerate(invoice_ids):
        invoice = found.get(invoice_id)
        if invoice_id in invoice_ids[:index]:
            said = mismatch(ids.spell("inv", invoice_id), "each invoice once")
        elif invoice is None or first is None:
            said = mismatch(ids.spell("inv", invoice_id), "an issued invoice of your organisation")
        else:
            said = _problem(invoice, first, sum(note.total_minor for note in notes if note.corrects_id == invoice_id))
        if said:
            problems.append(FieldProblem(f"/invoices/{index}", said))
    return problems


def _problem(invoice: Invoice, first: Invoice, noted_minor: int) -> str:
    """Return why an invoice cannot be on a fapiao together with the first; empty when it can."""
    on = invoice.fapiao_parts.filter(is_live=True).first()
    seller = (invoice.seller["legal_name"], invoice.seller["tax_id"])
    seen, expected = invoice.number, ""
    if invoice.kind != InvoiceKind.CUSTOMER and invoice.corrects_id is None:
        seen, expected = f"{invoice.number}, which is of credits alone", "an invoice, whose amounts are above zero"
    elif invoice.kind != InvoiceKind.CUSTOMER:
        expected = "an invoice; what a credit note took back is counted with its invoice"
    elif on is not None:
        expected = f"an invoice that is on no fapiao; this one is on {ids.spell('fap', on.fapiao_id)}"
    elif not _MAY_BE_ON.get(invoice.status) or invoice.disputes.filter(resolved_at__isnull=True).exists():
        seen, expected = f"{invoice.number}, which is disputed or given up", "an invoice that nobody contests"
    elif (invoice.currency, invoice.seller["jurisdiction"]) != (rules.CURRENCY, rules.COUNTRY):
        seen = f"{invoice.number} in {invoice.currency} from {invoice.seller['jurisdiction']}"
        expected = f"an invoice in {rules.CURRENCY} of a seller in {rules.COUNTRY}"
    elif seller != (first.seller["legal_name"], first.seller["tax_id"]):
        seen, expected = f"{invoice.number} of {seller[0]}", f"invoices of one seller, {first.seller['legal_name']}"
    elif invoice.total_minor + noted_minor <= 0:
        expected = "an invoice of which something is left"
    return mismatch(seen, expected) if expected else ""


@transaction.atomic
def begin(actor: Actor, fapiao_id: UUID, *, now: datetime) -> Fapiao:
    """Note that a fapiao is being issued at the tax bureau's platform. Raises NoSuchFapiao, FapiaoMoveRefused."""
    actor.require(Capability.OPERATE_BOOKS)
    fapiao = reds.locked(fapiao_id)
    before = _check_move(fapiao, Status.ISSUING)
    fapiao.status = Status.ISSUING
    fapiao.save(update_fields=["status"])
    opening.tell(actor, fapiao, "issuing", before, now=now)
    return fapiao


@transaction.atomic
def record(actor: Actor, fapiao_id: UUID, said: Issued, *, now: datetime) -> Fapiao:
    """Record what the tax bureau's platform issued; the same once more changes nothing.

    Raises NoSuchFapiao, FapiaoMoveRefused, RecordWrong, NumberTaken.
    """
    actor.require(Capability.OPERATE_BOOKS)
    fapiao = reds.locked(fapiao_id)
    if fapiao.status in rules.NUMBERED and _is_recorded(fapiao, said):
        return fapiao
    before = _check_move(fapiao, Status.ISSUED)
    wrong = rules.problems_of(
        said,
        total_minor=fapiao.total_minor,
        requested_on=fapiao.requested_at.astimezone(BOOKS_ZONE).date(),
        today=now.astimezone(BOOKS_ZONE).date(),
    )
    if wrong:
        raise RecordWrong([FieldProblem(f"/{name}", mismatch(*what)) for name, what in wrong.items()])
    fapiao.status, fapiao.number, fapiao.issued_on = Status.ISSUED, said.number, said.issued_on
    fapiao.file_url, fapiao.file_sha256 = said.file_url, said.file_sha256
    fapiao.recorded_by, fapiao.recorded_at = actor.label, now
    try:
        with transaction.atomic():
            fapiao.save(
                update_fields=["status", "number", "issued_on", "file_url", "file_sha256", "recorded_by", "recorded_at"]
            )
    except IntegrityError as error:
        if "fapiao_number_once" not in str(error):
            raise
        raise NumberTaken(said.number) from error
    close_call(fapiao, now=now)
    opening.tell(actor, fapiao, "issued", before, now=now)
    if fapiao.red_of is None:
        reds.demand_missing(actor, fapiao, now=now)
    else:
        reds.taken_back(fapiao)
        if fapiao.red_of.status == Status.REVERSED:
            opening.tell(actor, fapiao.red_of, "reversed", Status.ISSUED, now=now)
    return fapiao


def _is_recorded(fapiao: Fapiao, said: Issued) -> bool:
    return (fapiao.number, fapiao.issued_on, fapiao.total_minor) == (said.number, said.issued_on, said.total_minor)


@transaction.atomic
def refuse(actor: Actor, fapiao_id: UUID, *, reason: str, is_the_issuers: bool = False, now: datetime) -> Fapiao:
    """Decline a fapiao with a reason; its invoices may be asked for again.

    One that the issuing service has is declined by the service alone. Raises NoSuchFapiao, FapiaoMoveRefused,
    AtTheIssuer.
    """
    actor.require(Capability.OPERATE_BOOKS)
    fapiao = reds.locked(fapiao_id)
    before = _check_move(fapiao, Status.REFUSED)
    if not is_the_issuers and FapiaoCall.objects.filter(fapiao=fapiao, state=CallState.SENT).exists():
        raise AtTheIssuer
    fapiao.status, fapiao.refusal = Status.REFUSED, reason
    fapiao.save(update_fields=["status", "refusal"])
    fapiao.parts.update(is_live=False)
    close_call(fapiao, now=now)
    opening.tell(actor, fapiao, "refused", before, now=now)
    if fapiao.red_of is not None and fapiao.red_cause == RedCause.MISTAKE:
        # Credit notes on what was to be taken off had waited for it.
        reds.demand_missing(actor, fapiao.red_of, now=now)
    return fapiao


def close_call(fapiao: Fapiao, *, now: datetime) -> None:
    """Ask the issuing service no more about a fapiao that is settled."""
    open_call = FapiaoCall.objects.select_for_update(no_key=True).filter(fapiao=fapiao)
    open_call.exclude(state=CallState.ANSWERED).update(state=CallState.ANSWERED, answered_at=now, problem="")


def _check_move(fapiao: Fapiao, wanted: Status) -> str:
    """Return the state before; raises FapiaoMoveRefused."""
    if not rules.may_move(Status(fapiao.status), wanted):
        raise FapiaoMoveRefused(fapiao.status, wanted)
    return str(fapiao.status)
