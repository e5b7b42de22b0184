"""The verbs of contracts: open, begin, end, terminate, settle."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.jobs import services as jobs
from billing.contracts import drafting, rules, terms
from billing.contracts.errors import ContractCannotMove, NoSuchContract
from billing.contracts.models import Contract, ContractSlot
from billing.contracts.rules import ContractStatus, TerminationReason
from billing.contracts.terms import SlotTerms
from billing.ledger.rules import Source
from catalog.measures.interval import Interval


@transaction.atomic
def open_contract(
    actor: Actor,
    *,
    source: Source,
    buyer_id: UUID,
    provider_id: UUID,
    project_id: UUID,
    market_code: str,
    currency: str,
    slots: Sequence[SlotTerms],
    hold_id: UUID | None,
    now: datetime,
    fee_version: int | None = None,
    hold_at_most_minor: int | None = None,
    reserve_minor: int = 0,
    synthetic: bool = False,
) -> Contract:
    """Write down what was agreed: the schedule, and the terms in force now (with the order's fee version, if given).

    `hold_id` is the buyer's hold for all contracts of the source; this contract's share of it is its value with
    fee and tax, or `hold_at_most_minor` where that is less: several contracts round their values each for itself
    and may come to a coin more than was held. `reserve_minor` is what the order set aside for metered extras; it
    belongs to the share. Without a hold the buyer is invoiced on credit. The caller has locked
    the source, so that one source and provider have one contract (a constraint has the last word). Raises
    NoLegalEntity, NoTaxRate, NoFeeSchedule.
    """
    slots = rules.in_order(slots)
    assert slots, "a contract has a schedule"
    assert rules.first_overlap(slots) is None, slots
    window = Interval(min(slot.starts_at for slot in slots), max(slot.ends_at for slot in slots))
    fees = drafting.fees_at(now) if fee_version is None else drafting.fees_of(fee_version)
    agreed = drafting.terms_for(
        buyer_id=buyer_id,
        provider_id=provider_id,
        slots=slots,
        market_code=market_code,
        currency=currency,
        window=window,
        fees=fees,
        at=now,
    )
    value_minor = rules.value_of(slots, currency=currency)
    share_minor = rules.share_of_hold(value_minor, agreed).total_minor + reserve_minor
    document = agreed.to_document()
    contract = Contract.objects.create(
        source_type=source.type,
        source_id=source.id,
        buyer_id=buyer_id,
        provider_id=provider_id,
        project_id=project_id,
        market_code=market_code,
        currency=currency,
        starts_at=window.start,
        ends_at=window.end,
        merchant_of_record=agreed.merchant_of_record,
        fee_version=fees.version,
        terms=document,
        terms_digest=terms.digest(document, slots),
        value_minor=value_minor,
        share_minor=share_minor,
        hold_id=hold_id,
        held_minor=_held(share_minor, hold_at_most_minor) if hold_id is not None else 0,
        synthetic=synthetic,
        created_at=now,
    )
    ContractSlot.objects.bulk_create(
        ContractSlot(
            contract=contract,
            offering_id=slot.offering_id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            quantity=slot.quantity,
            unit=slot.unit,
            price_micros=slot.price_micros,
        )
        for slot in slots
    )
    _record(actor, contract, before=None, event="contract.opened", now=now)
    return contract


def _held(share_minor: int, at_most_minor: int | None) -> int:
    return share_minor if at_most_minor is None else min(share_minor, at_most_minor)


@transaction.atomic
def begin(actor: Actor, contract_id: UUID, *, now: datetime) -> Contract:
    """Note that delivery has begun; a contract that is active already stays so."""
    contract = locked(contract_id)
    if contract.status == ContractStatus.ACTIVE:
        return contract
    return _move(actor, contract, ContractStatus.ACTIVE, now=now)


@transaction.atomic
def end(actor: Actor, contract_id: UUID, *, now: datetime) -> Contract:
    """Note that nothing more will be delivered, and have the contract invoiced; safe to repeat."""
    contract = locked(contract_id)
    if ContractStatus(contract.status) in rules.OVER:
        return contract
    contract.ended_at = now
    return _finish(actor, contract, ContractStatus.ENDED, now=now)


@transaction.atomic
def terminate(actor: Actor, contract_id: UUID, reason: TerminationReason, *, now: datetime) -> Contract:
    """End a contract before its time; what was delivered is invoiced like any other. Safe to repeat."""
    contract = locked(contract_id)
    if ContractStatus(contract.status) in rules.OVER:
        return contract
    contract.ended_at = now
    contract.terminated_reason = reason
    return _finish(actor, contract, ContractStatus.TERMINATED, now=now)


def settle(actor: Actor, contract: Contract, *, now: datetime) -> Contract:
    """Close a contract whose last invoice and statement are issued; the caller holds its lock."""
    contract.settled_at = now
    return _move(actor, contract, ContractStatus.SETTLED, now=now)


def owed_until(contract: Contract) -> datetime:
    """Return until when the provider owed delivery; what is missing after it is nobody's failure."""
    released_early = contract.terminated_reason in rules.RELEASES_PROVIDER
    if released_early and contract.ended_at is not None:
        return min(contract.ended_at, contract.ends_at)
    return contract.ends_at


def locked(contract_id: UUID) -> Contract:
    """Return the contract locked for change; raises NoSuchContract.

    Contracts are locked before ledger accounts: invoicing posts while it holds this lock.
    """
    contract = Contract.objects.select_for_update(no_key=True).filter(id=contract_id).first()
    if contract is None:
        raise NoSuchContract
    return contract


def _finish(actor: Actor, contract: Contract, wanted: ContractStatus, *, now: datetime) -> Contract:
    _move(actor, contract, wanted, now=now)
    jobs.enqueue("invoice_contract", str(contract.id), {}, now=now)
    jobs.enqueue("issue_statement", str(contract.id), {}, now=now)
    return contract


def _move(actor: Actor, contract: Contract, wanted: ContractStatus, *, now: datetime) -> Contract:
    before = ContractStatus(contract.status)
    if not rules.may_move(before, wanted):
        raise ContractCannotMove(before, wanted)
    contract.status = wanted
    contract.save(update_fields=["status", "ended_at", "settled_at", "terminated_reason"])
    _record(actor, contract, before=before, event=f"contract.{wanted}", now=now)
    return contract


def _record(actor: Actor, contract: Contract, *, before: ContractStatus | None, event: str, now: datetime) -> None:
    """Leave the trail: an audit record, and an event for either party."""
    audit.record(
        actor,
        event,
        "contract",
        contract.id,
        None if before is None else {"status": str(before)},
        {"status": str(contract.status), "terms_digest": contract.terms_digest},
        now=now,
    )
    for organisation_id in (contract.buyer_id, contract.provider_id):
        events.emit(event, "contract", contract.id, organisation_id, {"status": str(contract.status)}, now=now)
