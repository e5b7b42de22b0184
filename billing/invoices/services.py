"""The verbs of invoicing: what a contract owes its parties becomes numbered documents and postings.

A contract's row is locked first, then the number counter, then the ledger's accounts. Everything about
one document is one transaction: charges, lines, number, posting, payment. A worker that dies leaves nothing,
and whoever tries again finds either the whole document or none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Sum, When

from accounts.actors.actor import Actor, Capability
from billing.budgets import services as budgets
from billing.contracts import queries as contract_queries
from billing.contracts import rules as contract_rules
from billing.contracts import services as contracts
from billing.contracts.errors import NoSuchContract
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.contracts.terms import Terms
from billing.invoices import issuing, rules, trail
from billing.invoices.errors import ContractNotOver, NothingToInvoice
from billing.invoices.issuing import Draft
from billing.invoices.models import BilledCharge, Invoice, InvoiceLine
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Reason, Side
from billing.ledger import services as ledger
from billing.ledger.rules import Capture, Source
from billing.payouts import services as payouts
from billing.rating import bills, redemption
from billing.rating import services as rating
from billing.rating.bills import Bill, LineKind
from billing.rating.models import Charge
from billing.usage.models import MeteringPoint


@transaction.atomic
def invoice_on_demand(actor: Actor, contract_id: UUID, *, now: datetime) -> Invoice:
    """Invoice what has been reported since the last invoice: from the hold, extras from the wallet.

    Asked for by the buyer, or by finance. Raises NothingToInvoice, NoSuchContract, NotAllowed.
    """
    actor.require(Capability.TRADE, Capability.OPERATE_BOOKS)
    contract = contracts.locked(contract_id)
    if not actor.can(Capability.OPERATE_BOOKS) and contract.buyer_id != actor.organisation():
        raise NoSuchContract
    rating.rate_pending(contract, until=now, now=now)
    invoice = _invoice_customer(actor, contract, Reason.ON_DEMAND, until=now, now=now)
    if invoice is None:
        raise NothingToInvoice
    return invoice


@transaction.atomic
def invoice_month(actor: Actor, contract_id: UUID, *, until: datetime, now: datetime) -> Invoice | None:
    """Invoice what ended by the end of a billing month and is on no invoice yet; None when there is nothing.

    Safe to repeat: a contract has one such invoice a month.
    """
    actor.require(Capability.OPERATE_BOOKS)
    contract = contracts.locked(contract_id)
    before = Invoice.objects.filter(
        contract=contract, side=Side.CUSTOMER, reason=Reason.MONTH_END, cutoff_at=until
    ).first()
    if before is not None:
        return before
    rating.rate_pending(contract, until=until, now=now)
    return _invoice_customer(actor, contract, Reason.MONTH_END, until=until, now=now)


@transaction.atomic
def invoice_contract(actor: Actor, contract_id: UUID, *, now: datetime) -> Invoice | None:
    """Draw the last invoice of a contract that is over, and release what is left of its hold.

    Returns None when everything was invoiced before. Safe to repeat, and to run twice at once. Raises ContractNotOver.
    """
    actor.require(Capability.OPERATE_BOOKS)
    contract = contracts.locked(contract_id)
    before = _last_of(contract, Side.CUSTOMER)
    if before is not None:
        return before
    _rate_all(contract, now=now)
    invoice = _invoice_customer(actor, contract, Reason.CONTRACT_END, until=contract.ends_at, now=now)
    _release_rest(contract, now=now)
    _settle_if_done(actor, contract, now=now)
    return invoice


@transaction.atomic
def issue_statement(actor: Actor, contract_id: UUID, *, now: datetime) -> Invoice | None:
    """Issue the provider's self-billing statement for a contract that is over, and post what is owed.

    The amount is pending until the dispute window of the last delivery is over. Returns None when there is nothing to
    state. Safe to repeat, and to run twice at once. Raises ContractNotOver.
    """
    actor.require(Capability.OPERATE_BOOKS)
    contract = contracts.locked(contract_id)
    before = _last_of(contract, Side.PROVIDER)
    if before is not None:
        return before
    _rate_all(contract, now=now)
    statement = _state_provider(actor, contract, now=now)
    _settle_if_done(actor, contract, now=now)
    return statement


def unbilled(contract: Contract, side: Side) -> QuerySet[Charge]:
    """Return a contract's charges that are on no document of a side, oldest first."""
    billed = BilledCharge.objects.filter(charge_id=OuterRef("id"), side=side)
    return Charge.objects.filter(~Exists(billed), contract=contract).order_by("id")


@dataclass(frozen=True, slots=True)
class _Payment:
    """How an invoice is paid at once: out of the hold, and what the wallet may be overdrawn by for the rest."""

    captured_minor: int
    released_minor: int
    overdraft_minor: int


def _invoice_customer(
    actor: Actor, contract: Contract, reason: Reason, *, until: datetime, now: datetime
) -> Invoice | None:
    """Issue, post and (from the wallet) pay what is unbilled; None when nothing is. The contract is locked."""
    rows = list(unbilled(contract, Side.CUSTOMER).filter(ends_at__lte=until))
    if not rows:
        return None
    agreed = Terms.from_document(contract.terms)
    values = rating.as_values(rows)
    bill = bills.customer_bill(values, agreed, currency=contract.currency)
    bill, vouchers_used = redemption.redeem(contract, bill, agreed, at=now)
    draft = Draft(
        contract=contract,
        terms=agreed,
        kind=rules.kind_of(bill),
        side=Side.CUSTOMER,
        reason=reason,
        cutoff_at=until,
        bill=bill,
        rows=rows,
        values=values,
    )
    on_credit = contract.hold_id is None
    invoice = issuing.issue(
        draft, pay_within=timedelta(days=agreed.payment_days) if on_credit and bill.total_minor > 0 else None, now=now
    )
    redemption.record(vouchers_used, Source("invoice", invoice.id, "issue"), now=now)
    payment = _payment(contract, bill, agreed, last=reason is Reason.CONTRACT_END)
    _post_invoice(contract, invoice, bill, payment, on_credit=on_credit, now=now)
    if not on_credit or bill.total_minor <= 0:
        _mark_paid(invoice, now=now)
    trail.tell(actor, invoice, now=now)
    return invoice


def _payment(contract: Contract, bill: Bill, agreed: Terms, *, last: bool) -> _Payment:
    """Decide what comes out of the hold: before the end no more than leaves the capacity still to come covered.

    The invoice's own lines are stored already.
    """
    if contract.hold_id is None or bill.total_minor <= 0:
        return _Payment(0, 0, 0)
    kept_minor = 0
    if not last:
        lines = InvoiceLine.objects.filter(invoice__contract=contract, invoice__side=Side.CUSTOMER)
        of_schedule = lines.filter(kind__in=[LineKind.CAPACITY, LineKind.RETURNED, LineKind.PAUSED])
        # Nothing more comes of what was paused, neither what is due of it nor what was credited.
        done = Case(When(kind=LineKind.PAUSED, then="share_base_minor"), default="amount_minor")
        billed = of_schedule.aggregate(total=Sum(done))["total"] or 0
        to_come = contract.value_minor - contract_queries.credited_minor(contract) - billed
        kept_minor = contract_rules.share_of_hold(max(0, to_come), agreed).total_minor
    captured_minor = min(bill.total_minor, max(0, contract.held_minor - kept_minor))
    released_minor = contract.held_minor - captured_minor if last else 0
    return _Payment(captured_minor, released_minor, bill.total_minor - captured_minor)


def _post_invoice(
    contract: Contract, invoice: Invoice, bill: Bill, payment: _Payment, *, on_credit: bool, now: datetime
) -> None:
    lines = rules.customer_posting(bill, contract.buyer_id, on_credit=on_credit)
    if not any(line.amount_minor for line in lines):
        return  # a document of zeros says what happened and moves nothing
    captures = []
    if contract.hold_id is not None and payment.captured_minor + payment.released_minor:
        captures = [Capture(contract.hold_id, payment.captured_minor, payment.released_minor)]
    assert invoice.issued_at is not None
    ledger.post(
        Source("invoice", invoice.id, "issue"),
        lines,
        currency=invoice.currency,
        effective_at=invoice.issued_at,
        now=now,
        memo=str(invoice),
        captures=captures,
        overdraft_minor=payment.overdraft_minor,
    )
    # What nothing was held for counts into the project's budget too.
    budgets.add_extras(contract.project_id, invoice.currency, bill.total_minor - payment.captured_minor)
    contract.held_minor -= payment.captured_minor + payment.released_minor
    contract.save(update_fields=["held_minor"])


def _mark_paid(invoice: Invoice, *, now: datetime) -> None:
    invoice.status = InvoiceStatus.PAID
    invoice.paid_minor = max(0, invoice.total_minor)
    invoice.paid_at = now
    invoice.save(update_fields=["status", "paid_minor", "paid_at"])


def _state_provider(actor: Actor, contract: Contract, *, now: datetime) -> Invoice | None:
    rows = list(unbilled(contract, Side.PROVIDER))
    if not rows:
        return None
    agreed = Terms.from_document(contract.terms)
    values = rating.as_values(rows)
    bill = bills.provider_bill(values, agreed, currency=contract.currency)
    draft = Draft(
        contract=contract,
        terms=agreed,
        kind=InvoiceKind.PROVIDER_STATEMENT,
        side=Side.PROVIDER,
        reason=Reason.CONTRACT_END,
        cutoff_at=contract.ends_at,
        bill=bill,
        rows=rows,
        values=values,
    )
    statement = issuing.issue(draft, pay_within=None, now=now)
    lines = rules.statement_posting(bill, contract.provider_id)
    if any(line.amount_minor for line in lines):
        assert statement.issued_at is not None
        ledger.post(
            Source("statement", statement.id, "issue"),
            lines,
            currency=statement.currency,
            effective_at=statement.issued_at,
            now=now,
            memo=str(statement),
        )
    if bill.total_minor:
        payouts.schedule_release(
            statement.id,
            contract.provider_id,
            amount_minor=bill.total_minor,
            currency=contract.currency,
            due_at=statement.period_end + timedelta(days=agreed.dispute_days),
            now=now,
        )
    trail.tell(actor, statement, now=now)
    return statement


def _rate_all(contract: Contract, *, now: datetime) -> None:
    """Rate whatever is left of a contract that is over: late reports, and the time that nobody reported."""
    if ContractStatus(contract.status) not in contract_rules.OVER:
        raise ContractNotOver(contract.status)
    # Closing waits for batches that are under way; after it no report comes in.
    open_points = MeteringPoint.objects.select_for_update(no_key=True).filter(contract=contract, closed_at__isnull=True)
    MeteringPoint.objects.filter(id__in=[point.id for point in open_points.order_by("id")]).update(closed_at=now)
    rating.rate_pending(contract, until=contract.ends_at, now=now)
    rating.rate_gaps(contract, until=contracts.owed_until(contract), now=now)


def _release_rest(contract: Contract, *, now: datetime) -> None:
    """Give back what no invoice has taken: nothing was delivered, or it was invoiced before."""
    if contract.hold_id is None or not contract.held_minor:
        return
    ledger.change_hold(contract.hold_id, by_minor=-contract.held_minor, now=now)
    contract.held_minor = 0
    contract.save(update_fields=["held_minor"])


def _settle_if_done(actor: Actor, contract: Contract, *, now: datetime) -> None:
    """Close the contract once both sides have all their documents, whichever was issued first."""
    if contract.status == ContractStatus.SETTLED or contract.held_minor:
        return
    if unbilled(contract, Side.CUSTOMER).exists() or unbilled(contract, Side.PROVIDER).exists():
        return
    contracts.settle(actor, contract, now=now)


def _last_of(contract: Contract, side: Side) -> Invoice | None:
    return Invoice.objects.filter(contract=contract, side=side, reason=Reason.CONTRACT_END).first()
