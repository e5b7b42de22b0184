"""Hours that a buyer sold back: noted under the contract that they leave, with the run that has taken them over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.contracts import queries
from billing.contracts.models import Contract, ContractResale, ContractSlot
from billing.contracts.terms import SlotTerms


def taken_over(slots: Iterable[SlotTerms], origin: Contract) -> list[SlotTerms]:
    """Return a schedule of hours that are sold back, cut where the schedule that they leave changes.

    Their provider is paid what was agreed when they were sold first, however often they are sold back.
    """
    left = [queries.terms_of(slot) for slot in origin.slots.all()]
    return [
        replace(slot, starts_at=part.start, ends_at=part.end, provider_price_micros=paid_micros(run))
        for slot in slots
        for run in sorted(left, key=lambda run: run.starts_at)
        if run.offering_id == slot.offering_id and (part := run.interval.intersect(slot.interval)) is not None
    ]


def paid_micros(slot: SlotTerms) -> int:
    """Return what the provider is paid for a unit-hour of a run."""
    return slot.price_micros if slot.provider_price_micros is None else slot.provider_price_micros


def record(actor: Actor, takers: Sequence[Contract], *, now: datetime) -> list[ContractResale]:
    """Note for new contracts that take hours over which hours these are, run by run; tell who sold and who delivers.

    Called in the transaction that opened them, with the contracts of their origins locked.
    """
    origins = {origin.id: origin for origin in Contract.objects.filter(takers__in=takers)}
    runs = list(ContractSlot.objects.filter(contract__in=origins).order_by("id"))
    made = [
        _resale(origins, runs, taken, now=now)
        for taken in ContractSlot.objects.filter(contract__in=takers).select_related("contract").order_by("id")
    ]
    ContractResale.objects.bulk_create(made)
    said = [(origins[one.contract_id], _said(one)) for one in made]
    audit.record_all(
        audit.of(actor, "contract.resold", "contract", origin.id, None, what, now=now) for origin, what in said
    )
    events.emit_all(
        events.of("contract.resold", "contract", origin.id, party_id, what, now=now)
        for origin, what in said
        for party_id in (origin.buyer_id, origin.provider_id)
    )
    return made


def _resale(
    origins: Mapping[UUID, Contract], runs: Sequence[ContractSlot], taken: ContractSlot, *, now: datetime
) -> ContractResale:
    assert taken.contract.origin_id is not None, "it takes hours over"
    origin = origins[taken.contract.origin_id]
    whole = queries.terms_of(taken)
    run = next(
        run
        for run in runs
        if run.contract_id == origin.id
        and run.offering_id == taken.offering_id
        and queries.terms_of(run).interval.covers(whole.interval)
    )
    assert run.resale_commission_ppm is not None, "what states no commission is not sold back"
    return ContractResale(
        contract=origin,
        slot=run,
        sold_as=taken,
        starts_at=taken.starts_at,
        ends_at=taken.ends_at,
        quantity=taken.quantity,
        price_micros=taken.price_micros,
        commission_ppm=run.resale_commission_ppm,
        created_at=now,
    )


def _said(resale: ContractResale) -> dict[str, object]:
    return {
        "offering": ids.spell("ofr", resale.sold_as.offering_id),
        "starts_at": resale.starts_at.isoformat(),
        "ends_at": resale.ends_at.isoformat(),
        "quantity": resale.quantity,
        "price_micros": resale.price_micros,
        "commission_ppm": resale.commission_ppm,
    }
