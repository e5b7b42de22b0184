"""Invoices of many contracts in one transaction, written as sets; an invoice on demand is a batch of one.

Contracts are locked first, then the number counters, then the accounts of the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Sum, When
from django.db.models.functions import Greatest

from accounts.actors.actor import Actor
from billing.bounds.gate import Gate
from billing.bounds.rules import Drawn, usual_month
from billing.budgets import services as budgets
from billing.contracts import queries as contract_queries
from billing.contracts import rules as contract_rules
from billing.contracts.models import Contract, ContractRelease
from billing.contracts.terms import Terms
from billing.invoices import issuing, rules, trail
from billing.invoices.issuing import Draft
from billing.invoices.models import BilledCharge, Invoice, InvoiceLine
from billing.invoices.rules import InvoiceStatus, Reason, Side
from billing.ledger import many as ledger
from billing.ledger.rules import Capture, Posting, Source
from billing.rating import bills, redemption
from billing.rating import services as rating
from billing.rating.bills import LineKind
from billing.rating.models import OF_A_RESALE, Charge
from billing.rating.vouchers import Use


@dataclass(frozen=True, slots=True)
class Due:
    """A locked contract of which what ended by an instant is to be invoiced, and why it is now."""

    contract: Contract
    reason: Reason
    until: datetime


def unbilled(contracts: Iterable[Contract], side: Side) -> QuerySet[Charge]:
    """Return the charges of contracts that are on no document of a side, oldest first.

    What was sold back is no matter of the provider's here: they are paid for it under the contract that took it over.
    """
    billed = BilledCharge.objects.filter(charge_id=OuterRef("id"), side=side)
    found = Charge.objects.filter(~Exists(billed), contract__in=contracts).order_by("id")
    return found.exclude(kind__in=OF_A_RESALE) if side is Side.PROVIDER else found


def invoice_all(actor: Actor, dues: Sequence[Due], *, now: datetime) -> dict[UUID, Invoice]:
    """Issue, post and (from the wallet) pay what is unbilled, by contract.

    Those that have nothing are not in it, nor those of a party that is parked, or becomes so here.
    """
    drafts, uses = _drafts(dues, now=now)
    let = admitted(actor, drafts, now=now)
    drafts, uses = list(compress(drafts, let)), list(compress(uses, let))
    if not drafts:
        return {}
    invoices = issuing.issue_all(drafts, now=now)
    for invoice, used in zip(invoices, uses, strict=True):
        redemption.record(used, Source("invoice", invoice.id, "issue"), now=now)
    payments = _payments(drafts)
    _post(drafts, invoices, payments, now=now)
    _take_from_holds(drafts, payments, now=now)
    _mark_paid([invoice for invoice in invoices if invoice.due_at is None], now=now)
    trail.tell_all(actor, invoices, now=now)
    return {draft.contract.id: invoice for draft, invoice in zip(drafts, invoices, strict=True)}


def admitted(actor: Actor, drafts: Sequence[Draft], *, now: datetime) -> list[bool]:
    """Return which bills of one side may be issued; one beyond its bounds parks its party."""
    if not drafts:
        return []
    side = drafts[0].side
    parties = {draft.organisation_id for draft in drafts}
    gate = Gate(actor, side, parties, now=now)
    wanted = {
        (draft.organisation_id, draft.bill.currency): gate.trailing_days(draft.organisation_id, draft.bill.currency)
        for draft in drafts
    }
    billed = _billed(side, parties, set(wanted.values()), now=now)
    let = []
    for draft in drafts:
        days = wanted[draft.organisation_id, draft.bill.currency]
        before_minor = billed.get((days, draft.organisation_id, draft.bill.currency), 0)
        drawn = Drawn.of([line.amount_minor for line in draft.bill.lines], draft.bill.total_minor)
        usual_minor = usual_month(before_minor, trailing_days=days)
        let.append(gate.admits(draft.contract, draft.organisation_id, drawn, usual_minor=usual_minor))
    gate.close()
    return let


def _billed(
    side: Side, parties: set[UUID], windows: Iterable[int], *, now: datetime
) -> dict[tuple[int, UUID, str], int]:
    """Return what was billed to parties in each of some numbers of days, by days, party and currency."""
    billed: dict[tuple[int, UUID, str], int] = {}
    for days in windows:
        recent = Invoice.objects.filter(organisation__in=parties, side=side, issued_at__gt=now - timedelta(days=days))
        sums = recent.order_by().values_list("organisation_id", "currency").annotate(Sum("total_minor"))
        billed |= {(days, organisation_id, currency): int(total) for organisation_id, currency, total in sums}
    return billed


def _drafts(dues: Sequence[Due], *, now: datetime) -> tuple[list[Draft], list[Sequence[Use]]]:
    by_contract: dict[UUID, list[Charge]] = {}
    latest = max((due.until for due in dues), default=now)
    for row in unbilled([due.contract for due in dues], Side.CUSTOMER).filter(ends_at__lte=latest):
        by_contract.setdefault(row.contract_id, []).append(row)
    purse = redemption.Purse({due.contract.buyer_id for due in dues}, at=now)
    drafts, uses = [], []
    for due in dues:
        rows = [row for row in by_contract.get(due.contract.id, ()) if row.ends_at <= due.until]
        if not rows:
            continue
        draft, used = _draft(due, rows, purse)
        drafts.append(draft)
        uses.append(used)
    return drafts, uses


def _draft(due: Due, rows: Sequence[Charge], purse: redemption.Purse) -> tuple[Draft, Sequence[Use]]:
    contract = due.contract
    agreed = Terms.from_document(contract.terms)
    values = rating.as_values(rows)
    bill, used = purse.redeem(contract, bills.customer_bill(values, agreed, currency=contract.currency), agreed)
    asks = contract.hold_id is None and bill.total_minor > 0
    draft = Draft(
        contract=contract,
        terms=agreed,
        kind=rules.kind_of(bill),
        side=Side.CUSTOMER,
        reason=due.reason,
        cutoff_at=due.until,
        bill=bill,
        rows=rows,
        values=values,
        pay_within=timedelta(days=agreed.payment_days) if asks else None,
    )
    return draft, used


@dataclass(frozen=True, slots=True)
class _Payment:
    """How an invoice is paid at once: out of the hold, and what the wallet may be overdrawn by for the rest."""

    captured_minor: int = 0
    released_minor: int = 0
    overdraft_minor: int = 0

    @property
    def taken_minor(self) -> int:
        """What leaves the hold."""
        return self.captured_minor + self.released_minor


def _payments(drafts: Sequence[Draft]) -> list[_Payment]:
    """Decide what comes out of the holds: before the end no more than leaves the capacity still to come covered.

    The invoices' own lines are stored already.
    """
    running = [
        draft.contract
        for draft in drafts
        if draft.contract.hold_id is not None and draft.bill.total_minor > 0 and draft.reason is not Reason.CONTRACT_END
    ]
    lines = InvoiceLine.objects.filter(
        invoice__contract__in=running,
        invoice__side=Side.CUSTOMER,
        kind__in=[LineKind.CAPACITY, LineKind.RETURNED, LineKind.PAUSED, LineKind.RESOLD],
    )
    # Nothing more comes of what was paused or sold back, neither what is due of it nor what was credited.
    whole = [LineKind.PAUSED, LineKind.RESOLD]
    done = Case(When(kind__in=whole, then="share_base_minor"), default="amount_minor")
    sums = lines.order_by().values("invoice__contract_id").annotate(done=Sum(done))
    billed = {row["invoice__contract_id"]: int(row["done"]) for row in sums}
    returned = ContractRelease.objects.filter(contract__in=running).values_list("contract_id", flat=True)
    credited = {
        contract.id: contract_queries.credited_minor(contract) for contract in running if contract.id in set(returned)
    }
    return [_payment(draft, billed, credited) for draft in drafts]


def _payment(draft: Draft, billed: Mapping[UUID, int], credited: Mapping[UUID, int]) -> _Payment:
    contract, total_minor = draft.contract, draft.bill.total_minor
    if contract.hold_id is None or total_minor <= 0:
        return _Payment()
    is_last = draft.reason is Reason.CONTRACT_END
    kept_minor = 0
    if not is_last:
        to_come = contract.value_minor - credited.get(contract.id, 0) - billed.get(contract.id, 0)
        kept_minor = contract_rules.share_of_hold(max(0, to_come), draft.terms).total_minor
    captured_minor = min(total_minor, max(0, contract.held_minor - kept_minor))
    released_minor = contract.held_minor - captured_minor if is_last else 0
    return _Payment(captured_minor, released_minor, total_minor - captured_minor)


def _post(drafts: Sequence[Draft], invoices: Sequence[Invoice], payments: Sequence[_Payment], *, now: datetime) -> None:
    postings: dict[str, list[Posting]] = {}
    for draft, invoice, payment in zip(drafts, invoices, payments, strict=True):
        contract = draft.contract
        lines = rules.customer_posting(draft.bill, contract.buyer_id, on_credit=contract.hold_id is None)
        if not any(line.amount_minor for line in lines):
            continue  # a document of zeros says what happened and moves nothing
        assert invoice.issued_at is not None
        captures = []
        if contract.hold_id is not None and payment.taken_minor:
            captures = [Capture(contract.hold_id, payment.captured_minor, payment.released_minor)]
        posting = Posting(
            Source("invoice", invoice.id, "issue"),
            lines,
            effective_at=invoice.issued_at,
            memo=str(invoice),
            captures=captures,
            overdraft_minor=payment.overdraft_minor,
        )
        postings.setdefault(draft.bill.currency, []).append(posting)
    for currency in sorted(postings):
        ledger.post_all(postings[currency], currency=currency, now=now)


def _take_from_holds(drafts: Sequence[Draft], payments: Sequence[_Payment], *, now: datetime) -> None:
    """Note what left the holds on the contracts, and what nothing was held for in the budgets of projects."""
    extras: dict[tuple[UUID, str], int] = {}
    credited: dict[tuple[UUID, str], int] = {}
    changed = []
    for draft, payment in zip(drafts, payments, strict=True):
        contract = draft.contract
        key = (contract.project_id, draft.bill.currency)
        extras[key] = extras.get(key, 0) + max(0, draft.bill.total_minor - payment.captured_minor)
        credited[key] = credited.get(key, 0) + max(0, -draft.bill.total_minor)
        if payment.taken_minor:
            contract.held_minor -= payment.taken_minor
            changed.append(contract)
    budgets.add_extras(extras, now=now)
    budgets.give_back(credited)
    Contract.objects.bulk_update(changed, ["held_minor"])


def _mark_paid(invoices: Sequence[Invoice], *, now: datetime) -> None:
    """Note that what is prepaid, or asks for nothing, is paid as it is issued."""
    for invoice in invoices:
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, now
        invoice.paid_minor = max(0, invoice.total_minor)
    Invoice.objects.filter(id__in=[invoice.id for invoice in invoices]).update(
        status=InvoiceStatus.PAID, paid_minor=Greatest(0, F("total_minor")), paid_at=now
    )
