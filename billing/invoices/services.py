"""The verbs of invoicing: what a contract owes its parties becomes numbered documents and postings.

A contract's row is locked first, then the number counter, then the ledger's accounts. Everything about
one document is one transaction: charges, lines, number, posting, payment. A worker that dies leaves nothing,
and whoever tries again finds either the whole document or none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation.failures import Failures
from billing.bounds import queries as bounds
from billing.bounds.errors import AccountParked
from billing.bounds.models import Parking
from billing.contracts import queries as contract_queries
from billing.contracts import rules as contract_rules
from billing.contracts import services as contracts
from billing.contracts.errors import NoSuchContract
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.contracts.terms import Terms
from billing.invoices import batches, contested, issuing, months, rules, trail
from billing.invoices.batches import Due
from billing.invoices.errors import ContractNotOver, NothingToInvoice
from billing.invoices.issuing import Draft
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind, Reason, Side
from billing.ledger import services as ledger
from billing.ledger.rules import Source
from billing.payouts import services as payouts
from billing.rating import bills
from billing.rating import services as rating
from billing.usage.models import MeteringPoint

BATCH: Final = 50  # contracts of one transaction of a run: a second of work under their locks
PATIENCE: Final = "60s"  # of a batch for locks


def invoice_on_demand(actor: Actor, contract_id: UUID, *, now: datetime) -> Invoice:
    """Invoice what has been reported since the last invoice: from the hold, extras from the wallet.

    Asked for by the buyer, or by finance. Raises NothingToInvoice, NoSuchContract, NotAllowed, and AccountParked for a
    bill beyond its bounds: the account stays parked then, so whoever undoes what was refused keeps that.
    """
    actor.require(Capability.TRADE, Capability.OPERATE_BOOKS)
    with transaction.atomic():
        contract = contracts.locked(contract_id)
        if not actor.can(Capability.OPERATE_BOOKS) and contract.buyer_id != actor.organisation():
            raise NoSuchContract
        rating.rate_pending(contract, until=now, now=now)
        invoice = _invoice_customer(actor, contract, Reason.ON_DEMAND, until=now, now=now)
        is_parked = invoice is None and bounds.is_parked(contract.buyer_id, Side.CUSTOMER)
    if is_parked:
        raise AccountParked
    if invoice is None:
        raise NothingToInvoice
    return invoice


def invoice_months(actor: Actor, contract_ids: Sequence[UUID], *, until: datetime, now: datetime) -> int:
    """Invoice what ended by the end of a billing month and is on no invoice yet; return how many invoices.

    BATCH contracts are one transaction: whoever stops in between has lost nothing and begins again with the rest,
    for a contract has one such invoice a month. A batch that fails is tried contract by contract, so that one that
    cannot be billed keeps no other waiting; what failed is raised after the last of them.
    """
    actor.require(Capability.OPERATE_BOOKS)
    failures = Failures()
    count = 0
    for first in range(0, len(contract_ids), BATCH):
        batch = contract_ids[first : first + BATCH]
        together = Failures()
        with together.kept(f"invoicing {len(batch)} contracts"):
            count += _invoice_batch(actor, batch, until=until, now=now)
        for contract_id in () if together.is_empty else batch:
            with failures.kept(f"invoicing {contract_id}"):
                count += _invoice_batch(actor, [contract_id], until=until, now=now)
    failures.raise_any()
    return count


@transaction.atomic
def _invoice_batch(actor: Actor, contract_ids: Sequence[UUID], *, until: datetime, now: datetime) -> int:
    with connection.cursor() as cursor:
        # Two batches wait for each other at the number counter; nobody sits in front of a page meanwhile.
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
    # With those that took hours of theirs over, which are rated first: all in one order.
    together = contract_queries.takers_of(contract_ids)
    locked = Contract.objects.select_for_update(no_key=True).filter(id__in=together).order_by("id")
    contract_by_id = {contract.id: contract for contract in locked if contract.id in set(contract_ids)}
    of_month = Invoice.objects.filter(side=Side.CUSTOMER, reason=Reason.MONTH_END, cutoff_at=until)
    for contract_id in of_month.filter(contract_id__in=contract_by_id).values_list("contract_id", flat=True):
        del contract_by_id[contract_id]
    rating.rate_all_pending(list(contract_by_id.values()), until=until, now=now)
    dues = [Due(contract, Reason.MONTH_END, until) for contract in contract_by_id.values()]
    return len(batches.invoice_all(actor, dues, now=now))


@transaction.atomic
def invoice_contract(actor: Actor, contract_id: UUID, *, now: datetime) -> Invoice | None:
    """Draw the last invoice of a contract that is over, and release what is left of its hold.

    Returns None when everything was invoiced before, or the buyer is parked. Safe to repeat, and to run twice at
    once. Raises ContractNotOver.
    """
    actor.require(Capability.OPERATE_BOOKS)
    contract = contracts.locked(contract_id)
    before = _last_of(contract, Side.CUSTOMER)
    if before is not None:
        return before
    _rate_all(contract, now=now)
    invoice = _invoice_customer(actor, contract, Reason.CONTRACT_END, until=contract.ends_at, now=now)
    if batches.unbilled([contract], Side.CUSTOMER).exists():
        return None  # its buyer is parked: what is held stays so, until finance has looked at it
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


def bill_waiting(actor: Actor, parking_id: UUID, *, now: datetime) -> None:
    """Bill what waited for the release of a parked account: contracts that are over, and the last month's.

    Safe to repeat; what is beyond its bounds again parks the account again.
    """
    actor.require(Capability.OPERATE_BOOKS)
    parking = Parking.objects.get(id=parking_id)
    is_customer = parking.side == Side.CUSTOMER
    party = {"buyer_id" if is_customer else "provider_id": parking.organisation_id}
    waiting = Contract.objects.filter(**party).exclude(status=ContractStatus.SETTLED).order_by("id")
    failures = Failures()
    for contract_id in waiting.filter(status__in=contract_rules.OVER).values_list("id", flat=True):
        with failures.kept(f"billing {contract_id}"):
            (invoice_contract if is_customer else issue_statement)(actor, contract_id, now=now)
    until = months.last_end(now)
    running = waiting.filter(starts_at__lt=until, created_at__lt=until).exclude(status__in=contract_rules.OVER)
    if is_customer and now >= until + months.GRACE:
        invoice_months(actor, list(running.values_list("id", flat=True)), until=until, now=now)
    failures.raise_any()


def _invoice_customer(
    actor: Actor, contract: Contract, reason: Reason, *, until: datetime, now: datetime
) -> Invoice | None:
    """Invoice one locked contract; None when nothing is unbilled."""
    return batches.invoice_all(actor, [Due(contract, reason, until)], now=now).get(contract.id)


def _state_provider(actor: Actor, contract: Contract, *, now: datetime) -> Invoice | None:
    rows = list(batches.unbilled([contract], Side.PROVIDER))
    if not rows:
        return None
    agreed = Terms.from_document(contract.terms)
    values = rating.as_paid(rows, contract)
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
    if not all(batches.admitted(actor, [draft], now=now)):
        return None
    statement = issuing.issue(draft, now=now)
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
        contested.hold_open(contract, now=now)
    trail.tell(actor, statement, now=now)
    return statement


def _rate_all(contract: Contract, *, now: datetime) -> None:
    """Rate whatever is left of a contract that is over: late reports, and the time that nobody reported."""
    if ContractStatus(contract.status) not in contract_rules.OVER:
        raise ContractNotOver(contract.status)
    if contract_queries.has_running_takers(contract):
        raise ContractNotOver("still being delivered to those who took hours of it over")
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
    if batches.unbilled([contract], Side.CUSTOMER).exists() or batches.unbilled([contract], Side.PROVIDER).exists():
        return
    contracts.settle(actor, contract, now=now)


def _last_of(contract: Contract, side: Side) -> Invoice | None:
    return Invoice.objects.filter(contract=contract, side=side, reason=Reason.CONTRACT_END).first()
