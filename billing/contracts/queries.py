"""Reads of contracts, scoped to who asks."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from math import floor
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.contracts import rules
from billing.contracts.errors import NoSuchContract
from billing.contracts.models import Contract, ContractPause, ContractRelease, ContractResale, ContractSlot
from billing.contracts.terms import SlotTerms
from catalog.measures.interval import Interval


def visible_to(actor: Actor) -> QuerySet[Contract]:
    """The contracts that an actor may see: those that their organisation bought or sold, and all to staff."""
    contracts = Contract.objects.select_related("buyer", "provider", "project")
    return contracts if actor.is_staff else contracts.filter(party_condition(actor))


def one(actor: Actor, contract_id: UUID) -> Contract:
    """Return a contract with its schedule; raises NoSuchContract."""
    contract = (
        visible_to(actor)
        .prefetch_related("slots", "releases__slot", "pauses__slot", "pauses__resumption", "resales__slot")
        .filter(id=contract_id)
        .first()
    )
    if contract is None:
        raise NoSuchContract
    return contract


def owed(contract: Contract) -> list[tuple[UUID, SlotTerms]]:
    """Return what the provider owes: the schedule less what was handed or sold back or is paused, with slots' ids."""
    return owed_of([contract.id])[contract.id]


def kept(contract: Contract) -> list[tuple[UUID, SlotTerms]]:
    """Return what is the buyer's: what is owed, and what is paused."""
    return _left_of([contract.id], [_given_up([contract.id])])[contract.id]


def owed_of(contract_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, SlotTerms]]]:
    """Return what is owed under contracts, by contract, in four queries."""
    contract_ids = list(contract_ids)
    return _left_of(contract_ids, [_given_up(contract_ids), _paused(contract_ids)])


def _left_of(
    contract_ids: list[UUID], taken: list[list[tuple[UUID, rules.Released]]]
) -> dict[UUID, list[tuple[UUID, SlotTerms]]]:
    released: dict[UUID, list[rules.Released]] = defaultdict(list)
    for slot_id, one in chain.from_iterable(taken):
        released[slot_id].append(one)
    found: dict[UUID, list[tuple[UUID, SlotTerms]]] = {contract_id: [] for contract_id in contract_ids}
    for slot in ContractSlot.objects.filter(contract__in=contract_ids).order_by("offering_id", "starts_at"):
        found[slot.contract_id] += [(slot.id, run) for run in rules.owed(terms_of(slot), released[slot.id])]
    return found


def _given_up(contract_ids: list[UUID]) -> list[tuple[UUID, rules.Released]]:
    """Return what was handed back or sold back."""
    return [
        (row.slot_id, rules.Released(Interval(row.starts_at, row.ends_at), row.quantity))
        for model in (ContractRelease, ContractResale)
        for row in model.objects.filter(contract__in=contract_ids)
    ]


def _paused(contract_ids: list[UUID]) -> list[tuple[UUID, rules.Released]]:
    return [
        (row.slot_id, rules.Released(interval, row.quantity))
        for row in ContractPause.objects.filter(contract__in=contract_ids).select_related("resumption")
        if (interval := interval_of(row)) is not None
    ]


def interval_of(pause: ContractPause) -> Interval | None:
    """Return from when to when a pause holds; None when it was resumed before it began."""
    ends_at = pause.resumption.resumes_at if hasattr(pause, "resumption") else pause.ends_at
    return Interval(pause.starts_at, ends_at) if pause.starts_at < ends_at else None


def pauses(contract: Contract) -> list[ContractPause]:
    """Return the pauses of a contract in order, with their runs of the schedule and their resumptions."""
    return list(ContractPause.objects.filter(contract=contract).select_related("slot", "resumption"))


def with_less_owed(contract_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these contracts something was handed or sold back of, or paused."""
    contract_ids = list(contract_ids)
    return {
        contract_id
        for model in (ContractRelease, ContractPause, ContractResale)
        for contract_id in model.objects.filter(contract__in=contract_ids).values_list("contract_id", flat=True)
    }


def credited_minor(contract: Contract) -> int:
    """Return what was credited for all that was handed back, rounded down, in minor units."""
    releases = ContractRelease.objects.filter(contract=contract).select_related("slot")
    return floor(
        rules.credited(
            (
                (terms_of(row.slot), rules.Released(Interval(row.starts_at, row.ends_at), row.quantity))
                for row in releases
            ),
            currency=contract.currency,
        )
    )


def terms_of(slot: ContractSlot) -> SlotTerms:
    """Return a run of a schedule as plain values."""
    return SlotTerms(
        slot.offering_id,
        slot.starts_at,
        slot.ends_at,
        slot.quantity,
        slot.unit,
        slot.price_micros,
        slot.return_credit_ppm,
        slot.pause_credit_ppm,
        slot.resale_commission_ppm,
        slot.provider_price_micros,
    )


def has_running_takers(contract: Contract) -> bool:
    """Whether hours that were sold back are still to be delivered, or reported, under another contract."""
    return Contract.objects.filter(origin=contract).exclude(status__in=rules.OVER).exists()


def takers_of(contract_ids: Iterable[UUID]) -> set[UUID]:
    """Return these contracts and all that hours of theirs were sold back to, and so on."""
    found = set(contract_ids)
    later = found
    while later:
        later = set(Contract.objects.filter(origin__in=later).values_list("id", flat=True))
        found |= later
    return found


def party_condition(actor: Actor, prefix: str = "") -> Q:
    """Return the condition that the actor's organisation is a party; `prefix` leads to the contract."""
    condition = Q(pk__in=[])
    if actor.organisation_id is not None and actor.can(Capability.VIEW_BUYING):
        condition |= Q(**{f"{prefix}buyer_id": actor.organisation_id})
    if actor.organisation_id is not None and actor.can(Capability.VIEW_SELLING):
        condition |= Q(**{f"{prefix}provider_id": actor.organisation_id})
    return condition


def sees_buyers_side(actor: Actor, contract: Contract) -> bool:
    """Whether an actor may know what concerns the buyer and the exchange alone: project, hold, fee."""
    return actor.is_staff or (actor.organisation_id == contract.buyer_id and actor.can(Capability.VIEW_BUYING))


def sees_providers_side(actor: Actor, contract: Contract) -> bool:
    """Whether an actor may know what concerns the provider and the exchange alone: commission."""
    return actor.is_staff or (actor.organisation_id == contract.provider_id and actor.can(Capability.VIEW_SELLING))


def terms_seen_by(actor: Actor, contract: Contract) -> dict[str, Any]:
    """Return the terms without what the exchange agreed with the other side only."""
    terms = dict(contract.terms)
    fees = dict(terms["fees"])
    if not sees_buyers_side(actor, contract):
        del fees["buyer_fee_ppm"], terms["sales_taxes"], terms["payment_days"]
    if not sees_providers_side(actor, contract):
        del fees["provider_commission_ppm"], terms["purchase_taxes"]
    return terms | {"fees": fees}
