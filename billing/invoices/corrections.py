"""Credit notes: an issued document is never changed; what was wrong is taken back by a document of its own.

A note points at its original, has a line for each line that it takes something back of, and never takes back more
than was charged. Where the provider bears it, its statement gets a note with the same amounts and the commission on
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.foundation.errors import FieldProblem
from accounts.jobs import services as jobs
from billing.budgets import services as budgets
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.terms import Terms
from billing.invoices import issuing, numbering, rules, trail
from billing.invoices.errors import (
    CreditTooLarge,
    InvoiceMoveRefused,
    NoSuchInvoice,
    NothingToCredit,
    PaidAnotherPrice,
    StatementMissing,
)
from billing.invoices.issuing import Document
from billing.invoices.models import Invoice, InvoiceLine, InvoiceTax
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Reason, Side
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts import services as payouts
from billing.rating import redemption
from billing.rating.bills import SUPPLY, LineKind
from catalog.measures import rounding
from catalog.measures.money import format_minor
from catalog.measures.rounding import PPM

DEMAND_RED_LETTER: Final = "demand_red_letter"  # the key is the note's id; fapiao does the work


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a note takes back of one line of its original: minor units, signed like the line."""

    line: InvoiceLine
    amount_minor: int


@transaction.atomic
def credit_invoice(
    actor: Actor,
    invoice_id: UUID,
    *,
    reason: str,
    now: datetime,
    amounts_minor: Mapping[int, int] | None = None,
    provider_bears_it: bool = False,
) -> Invoice:
    """Take an invoice back in part (net amounts by line number) or, without amounts, all that is left of it.

    An open claim is reduced first; the rest goes to the buyer's wallet. Raises NoSuchInvoice, InvoiceMoveRefused,
    NothingToCredit, CreditTooLarge, StatementMissing, PaidAnotherPrice.
    """
    actor.require(Capability.OPERATE_BOOKS)
    invoice, contract = _locked(invoice_id)
    if invoice.kind != InvoiceKind.CUSTOMER or invoice.status == InvoiceStatus.WRITTEN_OFF:
        is_note = invoice.kind != InvoiceKind.CUSTOMER
        raise InvoiceMoveRefused("a credit note" if is_note else invoice.status, "credited")
    if provider_bears_it and contract.origin_id is not None:
        raise PaidAnotherPrice
    taken = _taken(invoice, amounts_minor)
    note = _note(invoice, contract, taken, kind=InvoiceKind.CREDIT_NOTE, reason=reason, now=now)
    lapsed_minor = redemption.give_back(_vouchers(taken), Source("invoice", note.id, "issue"), now=now)
    _give_back(invoice, note, lapsed_minor=lapsed_minor, now=now)
    trail.tell(actor, note, now=now)
    # Where the invoice is on an issued fapiao, that has to be corrected too.
    jobs.enqueue(DEMAND_RED_LETTER, str(note.id), now=now)
    if provider_bears_it:
        _credit_statement(actor, contract, taken, reason=reason, now=now)
    return note


def _locked(invoice_id: UUID) -> tuple[Invoice, Contract]:
    contract_id = (
        Invoice.objects.filter(id=invoice_id, side=Side.CUSTOMER)
        .exclude(status=InvoiceStatus.DRAFT)
        .values_list("contract_id", flat=True)
        .first()
    )
    if contract_id is None:
        raise NoSuchInvoice
    # The contract's lock is the one that numbers its documents; two notes wait for each other at it.
    contract = contracts.locked(contract_id)
    return Invoice.objects.select_for_update(no_key=True).get(id=invoice_id), contract


def _taken(invoice: Invoice, amounts_minor: Mapping[int, int] | None) -> list[_Taken]:
    """Return what is to be taken back of each line; raises NothingToCredit and CreditTooLarge naming the lines."""
    before = _credited_by_line(invoice)
    lines = {line.n: line for line in invoice.lines.order_by("n")}
    left = {n: line.amount_minor - before.get(n, 0) for n, line in lines.items()}
    if amounts_minor is None:
        taken = [_Taken(lines[n], amount) for n, amount in left.items() if amount]
        if not taken:
            raise NothingToCredit(invoice.number)
        return taken
    problems = []
    # Pointed at by its place in what was asked for, named by its number on the invoice.
    for place, (n, amount_minor) in enumerate(amounts_minor.items()):
        most = abs(left.get(n, 0))
        if n not in lines:
            said = f"{invoice.number} has no line {n}; expected 1 to {len(lines)}."
            problems.append(FieldProblem(f"/lines/{place}/n", said))
        elif not 0 < amount_minor <= most:
            got, limit = (format_minor(value, invoice.currency) for value in (amount_minor, most))
            said = f"Line {n} ({lines[n].description}): expected more than 0 and at most {limit}, got {got}."
            problems.append(FieldProblem(f"/lines/{place}/amount", said))
    if problems:
        raise CreditTooLarge(problems[0].detail, problems)
    return [
        _Taken(lines[n], amount if lines[n].amount_minor > 0 else -amount)
        for n, amount in sorted(amounts_minor.items())
    ]


def _vouchers(taken: Sequence[_Taken]) -> dict[str, int]:
    """Return what is given back to vouchers, by code; a voucher has a line for each tax rate."""
    amounts: dict[str, int] = {}
    for one in taken:
        if one.line.kind == LineKind.VOUCHER:
            code = one.line.source["voucher"]
            amounts[code] = amounts.get(code, 0) - one.amount_minor
    return amounts


def _credited_by_line(document: Invoice) -> dict[int, int]:
    """Return what earlier notes took back of each line, signed like the line."""
    credited: dict[int, int] = {}
    for line in InvoiceLine.objects.filter(invoice__corrects=document):
        n = int(line.source["line"])
        credited[n] = credited.get(n, 0) - line.amount_minor
    return credited


def _note(
    original: Invoice,
    contract: Contract,
    taken: Sequence[_Taken],
    *,
    kind: InvoiceKind,
    reason: str,
    now: datetime,
    extra: Sequence[InvoiceLine] = (),
) -> Invoice:
    """Store a note over lines of its original, number it, and post it; `extra` are lines without an original."""
    lines = [*(_line(original, one) for one in taken), *extra]
    net_minor = sum(line.amount_minor for line in lines)
    taxes = _taxes(original, lines)
    tax_minor = sum(tax.tax_minor for tax in taxes)
    _check_total(original, net_minor + tax_minor)
    note = Invoice.objects.create(
        kind=kind,
        reason=Reason.CORRECTION,
        contract=contract,
        contract_n=Invoice.objects.filter(contract=contract, side=original.side).count() + 1,
        side=original.side,
        organisation_id=original.organisation_id,
        project_id=original.project_id,
        series=numbering.series_of(Terms.from_document(contract.terms).exchange, kind),
        currency=original.currency,
        period_start=original.period_start,
        period_end=original.period_end,
        cutoff_at=original.cutoff_at,
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        rounding=rules.ROUNDING,
        seller=original.seller,
        buyer=original.buyer,
        corrects=original,
        correction_reason=reason,
        created_at=now,
        synthetic=original.synthetic,
        status=InvoiceStatus.DRAFT,
    )
    for n, line in enumerate(lines, start=1):
        line.invoice, line.n = note, n
    InvoiceLine.objects.bulk_create(lines)
    for tax in taxes:
        tax.invoice = note
    InvoiceTax.objects.bulk_create(taxes)
    issuing.finalise_all([Document(note, lines, taxes)], now=now)
    return note


def _check_total(original: Invoice, total_minor: int) -> None:
    """Refuse a note that adds to what is owed, or takes back more than is left; raises CreditTooLarge.

    Lines may be within their amounts and their sum is not, for some lines of an invoice take from it.
    """
    if total_minor >= 0:
        total = format_minor(total_minor, original.currency)
        raise CreditTooLarge(f"Together these lines would add {total} to what is owed; a note takes something back.")
    noted_minor = original.notes.aggregate(total=Sum("total_minor"))["total"] or 0
    left_minor = original.total_minor + noted_minor
    if -total_minor > left_minor:
        got, limit = (format_minor(value, original.currency) for value in (-total_minor, left_minor))
        raise CreditTooLarge(f"With tax these lines come to {got}; at most {limit} is left of {original.number}.")


def _line(original: Invoice, one: _Taken) -> InvoiceLine:
    """Return the line of a note: all of the amount that is taken back, with its sign turned."""
    line = one.line
    source: dict[str, Any] = {
        "contract": ids.spell("ctr", original.contract_id),
        "corrects": original.number,
        "line": line.n,
    }
    return InvoiceLine(
        kind=line.kind,
        description=f"Taken back of line {line.n} of {original.number}: {line.description}"[:300],
        offering_id=line.offering_id,
        project_id=line.project_id,
        unit="percent",
        quantity=100,
        raw_quantity=PPM,
        raw_per_unit=PPM // 100,
        price_micros=None,
        base_quantity=1,
        share_ppm=PPM,
        share_base_minor=abs(one.amount_minor),
        amount_minor=-one.amount_minor,
        tax_category=line.tax_category,
        tax_rate_ppm=line.tax_rate_ppm,
        service_start=line.service_start,
        service_end=line.service_end,
        source=source,
    )


def _taxes(original: Invoice, lines: Sequence[InvoiceLine]) -> list[InvoiceTax]:
    """Return the taxes of a note: what the tax on all notes so far comes to, less what earlier ones took back.

    So notes over everything take back the original's tax to the last coin; a single one may be a coin beside its rate.
    """
    earlier = {
        (row["category"], row["rate_ppm"]): (row["base"], row["tax"])
        for row in InvoiceTax.objects.filter(invoice__corrects=original)
        .values("category", "rate_ppm")
        .annotate(base=Sum("base_minor"), tax=Sum("tax_minor"))
    }
    bases: dict[tuple[str, int], int] = {}
    for line in lines:
        group = (line.tax_category, line.tax_rate_ppm)
        bases[group] = bases.get(group, 0) + line.amount_minor
    taxes = []
    for (category, rate_ppm), base_minor in sorted(bases.items()):
        base_before, tax_before = earlier.get((category, rate_ppm), (0, 0))
        tax_minor = rounding.share(base_before + base_minor, rate_ppm) - tax_before
        taxes.append(InvoiceTax(category=category, rate_ppm=rate_ppm, base_minor=base_minor, tax_minor=tax_minor))
    return taxes


def _give_back(invoice: Invoice, note: Invoice, *, lapsed_minor: int, now: datetime) -> None:
    """Post a note: off the open claim first, the rest into the wallet; and note both on the original.

    `lapsed_minor` went back to vouchers that have ended: it is nobody's any more.
    """
    credited_minor = -note.total_minor
    outstanding = rules.outstanding(invoice)
    off_claim = min(outstanding, credited_minor)
    into_wallet = credited_minor - off_claim
    assert note.issued_at is not None
    ledger.post(
        Source("invoice", note.id, "issue"),
        [
            credit(Code.RECEIVABLE, off_claim, invoice.organisation_id),
            credit(Code.WALLET, into_wallet, invoice.organisation_id),
            *rules.revenue_posting(issuing.sums(note), note.tax_minor),
            debit(Code.VOUCHERS, lapsed_minor),
            credit(Code.PROMOTION, lapsed_minor),
        ],
        currency=note.currency,
        effective_at=note.issued_at,
        now=now,
        memo=f"{note.number} of {invoice.number}",
    )
    if invoice.project_id is not None:
        budgets.give_back({(invoice.project_id, note.currency): credited_minor})
    invoice.credited_minor += credited_minor
    invoice.paid_minor -= into_wallet
    if invoice.status in rules.OPEN and rules.outstanding(invoice) == 0:
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, now
    invoice.save(update_fields=["credited_minor", "paid_minor", "status", "paid_at"])
    note.status, note.paid_at = InvoiceStatus.PAID, now  # nothing is to be paid on it
    note.save(update_fields=["status", "paid_at"])


def _credit_statement(
    actor: Actor, contract: Contract, taken: Sequence[_Taken], *, reason: str, now: datetime
) -> Invoice | None:
    """Take from the provider what was given back of its supply, less the commission on it; None when it is nothing."""
    statement = (
        Invoice.objects.select_for_update(no_key=True)
        .filter(contract=contract, kind=InvoiceKind.PROVIDER_STATEMENT)
        .exclude(status=InvoiceStatus.DRAFT)
        .first()
    )
    if statement is None:
        raise StatementMissing
    counterparts = _counterparts(statement, [one for one in taken if one.line.kind in rules.SUPPLIED])
    if not counterparts:
        return None
    commission = _commission(statement, contract, counterparts)
    note = _note(
        statement,
        contract,
        counterparts,
        kind=InvoiceKind.PROVIDER_CREDIT,
        reason=reason,
        now=now,
        extra=commission,
    )
    assert note.issued_at is not None
    ledger.post(
        Source("statement", note.id, "issue"),
        rules.cost_posting(issuing.sums(note), note.tax_minor, note.total_minor, contract.provider_id),
        currency=note.currency,
        effective_at=note.issued_at,
        now=now,
        memo=f"{note.number} of {statement.number}",
    )
    payouts.schedule_release(
        note.id,
        contract.provider_id,
        amount_minor=note.total_minor,
        currency=note.currency,
        due_at=max(now, statement.period_end + timedelta(days=Terms.from_document(contract.terms).dispute_days)),
        now=now,
    )
    trail.tell(actor, note, now=now)
    return note


def provider_part(invoice: Invoice, contract: Contract, statement: Invoice) -> int:
    """Return what a note over all that is left of an invoice would take from the provider, with tax.

    All of the statement where it has no lines like the invoice's.
    """
    try:
        supplied = [one for one in _taken(invoice, None) if one.line.kind in rules.SUPPLIED]
        counterparts = _counterparts(statement, supplied)
    except NothingToCredit:
        return 0
    except StatementMissing:
        return statement.total_minor
    lines = [*(_line(statement, one) for one in counterparts), *_commission(statement, contract, counterparts)]
    return -sum(line.amount_minor for line in lines) - sum(tax.tax_minor for tax in _taxes(statement, lines))


def _counterparts(statement: Invoice, supplied: Sequence[_Taken]) -> list[_Taken]:
    """Return the same of the statement's lines for the same supply at the same price, of each what is left of it.

    A statement sums up what several invoices billed, so that a coin may be missing. Raises StatementMissing when the
    statement has no such line.
    """
    before = _credited_by_line(statement)
    lines = list(statement.lines.order_by("n"))
    left = {line.n: line.amount_minor - before.get(line.n, 0) for line in lines}
    found: dict[int, int] = {}
    for one in supplied:
        same = [line for line in lines if _same(line) == _same(one.line)]
        if not same:
            raise StatementMissing
        rest = one.amount_minor
        for line in same:
            part = min(rest, left[line.n]) if one.amount_minor > 0 else max(rest, left[line.n])
            rest -= part
            left[line.n] -= part
            found[line.n] = found.get(line.n, 0) + part
    return [_Taken(line, found[line.n]) for line in lines if found.get(line.n)]


def _same(line: InvoiceLine) -> tuple[object, ...]:
    return (line.kind, line.offering_id, line.unit, line.price_micros, line.base_quantity, line.share_ppm)


def _commission(statement: Invoice, contract: Contract, taken: Sequence[_Taken]) -> list[InvoiceLine]:
    """Return the commission that is given back, a line for each tax rate of the statement's commission."""
    rate_ppm = Terms.from_document(contract.terms).fees.provider_commission_ppm
    lines = []
    for line in statement.lines.filter(kind=LineKind.COMMISSION).order_by("n"):
        base_minor = sum(
            one.amount_minor for one in taken if one.line.kind in SUPPLY and one.line.tax_rate_ppm == line.tax_rate_ppm
        )
        amount_minor = rounding.share(base_minor, rate_ppm)
        if amount_minor:
            made = _line(statement, _Taken(line, -amount_minor))
            made.share_ppm, made.share_base_minor = rate_ppm, base_minor
            made.raw_quantity, made.quantity = Decimal(rate_ppm), Decimal(rate_ppm) / (PPM // 100)
            lines.append(made)
    return lines
