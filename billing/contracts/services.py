"""The verbs of contracts: open, begin, end, terminate, settle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids, rows
from accounts.jobs import services as jobs
from billing.contracts import drafting, queries, rules, terms
from billing.contracts.errors import (
    ContractCannotMove,
    ContractIsOver,
    NoSuchContract,
    NothingToHandBack,
    NotReturnable,
)
from billing.contracts.models import Contract, ContractRelease, ContractSlot
from billing.contracts.rules import ContractStatus, TerminationReason
from billing.contracts.rules import Released as Released
from billing.contracts.terms import FeeTerms, SlotTerms
from billing.ledger.rules import Source
from catalog.measures.interval import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What one source (an order in a round, for example) agreed with one provider: a contract to be opened.

    `hold_id` is the buyer's hold for all contracts of the source; without one the buyer is invoiced on credit.
    `fee_version` is the order's fee schedule, else the one in force. `reserve_minor` is what the order set aside
    for metered extras; it belongs to the contract's share of the hold. `origin_id` is the contract whose hours are
    taken over, where its buyer has sold them back.
    """

    source: Source
    buyer_id: UUID
    provider_id: UUID
    project_id: UUID
    market_code: str
    currency: str
    slots: Sequence[SlotTerms]
    hold_id: UUID | None
    fee_version: int | None = None
    reserve_minor: int = 0
    synthetic: bool = False
    origin_id: UUID | None = None


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
    """Open one contract; its share of the hold is at most `hold_at_most_minor`, if given. See open_contracts."""
    agreement = Agreement(
        source=source,
        buyer_id=buyer_id,
        provider_id=provider_id,
        project_id=project_id,
        market_code=market_code,
        currency=currency,
        slots=slots,
        hold_id=hold_id,
        fee_version=fee_version,
        reserve_minor=reserve_minor,
        synthetic=synthetic,
    )
    at_most = {} if hold_id is None or hold_at_most_minor is None else {hold_id: hold_at_most_minor}
    (contract,) = open_contracts(actor, [agreement], at_most_minor=at_most, now=now)
    return contract


def open_contracts(
    actor: Actor, agreements: Sequence[Agreement], *, at_most_minor: Mapping[UUID, int], now: datetime
) -> list[Contract]:
    """Write down what was agreed, in the order given: each schedule, and the terms in force now.

    A contract's share of its hold is its value with fee and tax; `at_most_minor` says by hold how much its contracts
    may have of it together: several round their values each for itself and may come to a coin more than was held,
    and the last ones then have that much less. Called inside the transaction that decided the sources, which the
    caller has locked, so that one source and provider have one contract (a constraint has the last word). Raises
    NoLegalEntity, NoTaxRate, NoFeeSchedule.
    """
    assert connection.in_atomic_block, "contracts are opened in the transaction that agrees them"
    if not agreements:
        return []
    known = drafting.look_up(
        {party_id for agreement in agreements for party_id in (agreement.buyer_id, agreement.provider_id)},
        {slot.offering_id for agreement in agreements for slot in agreement.slots},
        at=now,
    )
    fees = {
        version: drafting.fees_at(now) if version is None else drafting.fees_of(version)
        for version in {agreement.fee_version for agreement in agreements}
    }
    spare_minor = dict(at_most_minor)
    opened = []
    for agreement in agreements:
        contract = _drafted(agreement, known, fees[agreement.fee_version], spare_minor, now=now)
        if contract.hold_id in spare_minor:
            spare_minor[contract.hold_id] -= contract.held_minor
        opened.append(contract)
    rows.insert(opened)
    rows.insert(
        _slot(contract, slot)
        for contract, agreement in zip(opened, agreements, strict=True)
        for slot in rules.in_order(agreement.slots)
    )
    _record(actor, opened, before=None, event="contract.opened", now=now)
    return opened


def _drafted(
    agreement: Agreement, known: drafting.Known, fees: FeeTerms, spare_minor: Mapping[UUID, int], *, now: datetime
) -> Contract:
    """Return a contract that is not written yet; of its hold it has what `spare_minor` leaves of its share."""
    slots = rules.in_order(agreement.slots)
    assert slots, "a contract has a schedule"
    assert rules.first_overlap(slots) is None, slots
    window = Interval(min(slot.starts_at for slot in slots), max(slot.ends_at for slot in slots))
    agreed = drafting.terms_for(
        known,
        buyer_id=agreement.buyer_id,
        provider_id=agreement.provider_id,
        slots=slots,
        market_code=agreement.market_code,
        currency=agreement.currency,
        window=window,
        fees=fees,
    )
    value_minor = rules.value_of(slots, currency=agreement.currency)
    share_minor = rules.share_of_hold(value_minor, agreed).total_minor + agreement.reserve_minor
    held_minor = 0
    if agreement.hold_id is not None:
        held_minor = min(share_minor, max(0, spare_minor.get(agreement.hold_id, share_minor)))
    document = agreed.to_document()
    return Contract(
        source_type=agreement.source.type,
        source_id=agreement.source.id,
        origin_id=agreement.origin_id,
        buyer_id=agreement.buyer_id,
        provider_id=agreement.provider_id,
        project_id=agreement.project_id,
        market_code=agreement.market_code,
        currency=agreement.currency,
        starts_at=window.start,
        ends_at=window.end,
        merchant_of_record=agreed.merchant_of_record,
        fee_version=fees.version,
        terms=document,
        terms_digest=terms.digest(document, slots),
        value_minor=value_minor,
        share_minor=share_minor,
        hold_id=agreement.hold_id,
        held_minor=held_minor,
        synthetic=agreement.synthetic,
        created_at=now,
    )


def _slot(contract: Contract, slot: SlotTerms) -> ContractSlot:
    return ContractSlot(
        contract=contract,
        offering_id=slot.offering_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        quantity=slot.quantity,
        unit=slot.unit,
        price_micros=slot.price_micros,
        return_credit_ppm=slot.return_credit_ppm,
        pause_credit_ppm=slot.pause_credit_ppm,
        resale_commission_ppm=slot.resale_commission_ppm,
        provider_price_micros=slot.provider_price_micros,
    )


def release(
    actor: Actor,
    contract: Contract,
    *,
    offering_id: UUID,
    interval: Interval,
    quantity: int,
    now: datetime,
    promised: Iterable[Released] = (),
) -> list[ContractRelease]:
    """Note that the buyer hands units back, from then to then, at the credit that each run of the schedule states.

    `promised` units stay the buyer's: they are on offer to others. The caller holds the contract's lock. Raises
    ContractIsOver, NothingToHandBack when fewer units are owed at some time of the interval, NotReturnable when a run
    states no credit.
    """
    if ContractStatus(contract.status) in rules.OVER:
        raise ContractIsOver(contract.status)
    own = [(slot_id, slot) for slot_id, slot in queries.owed(contract) if slot.offering_id == offering_id]
    parts = [(slot_id, slot, part) for slot_id, slot in own if (part := slot.interval.intersect(interval)) is not None]
    least = rules.least([slot for _, slot in own], interval, promised)
    if least < quantity:
        raise NothingToHandBack(quantity, least)
    if any(slot.return_credit_ppm is None for _, slot, _ in parts):
        raise NotReturnable
    made = ContractRelease.objects.bulk_create(
        ContractRelease(
            contract=contract,
            slot_id=slot_id,
            starts_at=part.start,
            ends_at=part.end,
            quantity=quantity,
            credit_ppm=slot.return_credit_ppm or 0,
            created_at=now,
        )
        for slot_id, slot, part in parts
    )
    said = {
        "offering": ids.spell("ofr", offering_id),
        "starts_at": interval.start.isoformat(),
        "ends_at": interval.end.isoformat(),
        "quantity": quantity,
    }
    audit.record(actor, "contract.released", "contract", contract.id, None, said, now=now)
    events.emit_all(
        events.of("contract.released", "contract", contract.id, party_id, said, now=now)
        for party_id in (contract.buyer_id, contract.provider_id)
    )
    return made


@transaction.atomic
def begin(actor: Actor, contract_id: UUID, *, now: datetime) -> Contract:
    """Note that delivery has begun; a contract that is active already stays so."""
    contract = locked(contract_id)
    if contract.status == ContractStatus.ACTIVE:
        return contract
    return _move(actor, contract, ContractStatus.ACTIVE, now=now)


@transaction.atomic
def end(actor: Actor, contract_id: UUID, *, now: datetime) -> Contract:
    """Note that nothing more will be delivered, and have the contract invoiced; safe to repeat.

    A contract of which hours were sold back ends when all that took them over are over, too: what is due there is due
    here. So the end of one may be that of those before it.
    """
    *origins, contract = locked_with_origins(contract_id)
    if ContractStatus(contract.status) not in rules.OVER and not queries.has_running_takers(contract):
        contract.ended_at = now
        _finish(actor, contract, ContractStatus.ENDED, now=now)
    _end_origins(actor, origins, now=now)
    return contract


@transaction.atomic
def terminate(actor: Actor, contract_id: UUID, reason: TerminationReason, *, now: datetime) -> Contract:
    """End a contract before its time; what was delivered is invoiced like any other. Safe to repeat."""
    *origins, contract = locked_with_origins(contract_id)
    if ContractStatus(contract.status) not in rules.OVER:
        contract.ended_at = now
        contract.terminated_reason = reason
        _finish(actor, contract, ContractStatus.TERMINATED, now=now)
    _end_origins(actor, origins, now=now)
    return contract


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


def locked_with_origins(contract_id: UUID) -> list[Contract]:
    """Return a contract and those that its hours were sold back from, the first buyer's first, all locked.

    In the order of their ids, as runs over many contracts lock them. Raises NoSuchContract.
    """
    wanted = [contract_id]
    while (before := Contract.objects.filter(id=wanted[-1]).values_list("origin_id", flat=True).first()) is not None:
        wanted.append(before)
    found = list(Contract.objects.select_for_update(no_key=True).filter(id__in=wanted).order_by("id"))
    if not found:
        raise NoSuchContract
    return sorted(found, key=lambda contract: -wanted.index(contract.id))


def _end_origins(actor: Actor, origins: Sequence[Contract], *, now: datetime) -> None:
    """End locked contracts whose own leases are closed already, and that waited for those that took hours over."""
    for origin in reversed(origins):
        if queries.has_running_takers(origin) or origin.metering_points.filter(closed_at__isnull=True).exists():
            return
        if ContractStatus(origin.status) not in rules.OVER:
            origin.ended_at = now
            _finish(actor, origin, ContractStatus.ENDED, now=now)
        elif origin.status == ContractStatus.TERMINATED:
            _bill(origin, now=now)


def _finish(actor: Actor, contract: Contract, wanted: ContractStatus, *, now: datetime) -> None:
    _move(actor, contract, wanted, now=now)
    if not queries.has_running_takers(contract):
        _bill(contract, now=now)


def _bill(contract: Contract, *, now: datetime) -> None:
    jobs.enqueue("invoice_contract", str(contract.id), {}, now=now)
    jobs.enqueue("issue_statement", str(contract.id), {}, now=now)


def _move(actor: Actor, contract: Contract, wanted: ContractStatus, *, now: datetime) -> Contract:
    before = ContractStatus(contract.status)
    if not rules.may_move(before, wanted):
        raise ContractCannotMove(before, wanted)
    contract.status = wanted
    contract.save(update_fields=["status", "ended_at", "settled_at", "terminated_reason"])
    _record(actor, [contract], before=before, event=f"contract.{wanted}", now=now)
    return contract


def _record(
    actor: Actor, changed: Sequence[Contract], *, before: ContractStatus | None, event: str, now: datetime
) -> None:
    """Leave the trail of contracts: an audit record of each, and an event for either party."""
    audit.record_all(
        audit.of(
            actor,
            event,
            "contract",
            contract.id,
            None if before is None else {"status": str(before)},
            {"status": str(contract.status), "terms_digest": contract.terms_digest},
            now=now,
        )
        for contract in changed
    )
    events.emit_all(
        events.of(event, "contract", contract.id, party_id, {"status": str(contract.status)}, now=now)
        for contract in changed
        for party_id in (contract.buyer_id, contract.provider_id)
    )
