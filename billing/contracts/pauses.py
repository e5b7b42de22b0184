"""Doing without what is owed for a time: the provider keeps it for the buyer, who is credited part of its price."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.contracts import queries, rules
from billing.contracts.errors import ContractIsOver, NothingPaused, NothingToPause, NotPausable
from billing.contracts.models import Contract, ContractPause, ContractResumption
from billing.contracts.rules import ContractStatus, Released
from catalog.measures.interval import Interval


def pause(
    actor: Actor,
    contract: Contract,
    *,
    offering_id: UUID,
    interval: Interval,
    now: datetime,
    promised: Iterable[Released] = (),
) -> list[ContractPause]:
    """Note that the buyer does without all that is owed in an interval, at the credit that the schedule states.

    `promised` units are not paused: they are on offer to others. What was held stays held, so that taking it up again
    needs no new funds. The caller holds the contract's lock. Raises ContractIsOver, NothingToPause, NotPausable when a
    run states no credit.
    """
    _check_not_over(contract)
    promised = tuple(promised)
    own = [
        (slot_id, run)
        for slot_id, slot in queries.owed(contract)
        if slot.offering_id == offering_id
        for run in rules.owed(slot, promised)
    ]
    parts = [(slot_id, slot, part) for slot_id, slot in own if (part := slot.interval.intersect(interval)) is not None]
    if not parts:
        raise NothingToPause
    if any(slot.pause_credit_ppm is None for _, slot, _ in parts):
        raise NotPausable
    made = ContractPause.objects.bulk_create(
        ContractPause(
            contract=contract,
            slot_id=slot_id,
            starts_at=part.start,
            ends_at=part.end,
            quantity=slot.quantity,
            credit_ppm=slot.pause_credit_ppm or 0,
            created_at=now,
        )
        for slot_id, slot, part in parts
    )
    _tell(actor, contract, "contract.paused", offering_id, interval.start, interval.end, now=now)
    return made


def resume(
    actor: Actor, contract: Contract, *, offering_id: UUID, resumes_at: datetime, now: datetime
) -> list[ContractResumption]:
    """End every pause of an offering from an instant on; one that would begin later never does.

    The caller holds the contract's lock. Raises ContractIsOver, NothingPaused.
    """
    _check_not_over(contract)
    running = _running(contract, offering_id, after=resumes_at)
    if not running:
        raise NothingPaused
    return _end(actor, contract, running, resumes_at=resumes_at, now=now)


def fall_away(actor: Actor, contract: Contract, *, offering_id: UUID, now: datetime) -> None:
    """End whatever is paused of an offering: its provider keeps it no more. The caller holds the contract's lock."""
    running = _running(contract, offering_id, after=now)
    if running and ContractStatus(contract.status) not in rules.OVER:
        _end(actor, contract, running, resumes_at=now, now=now)


def _running(contract: Contract, offering_id: UUID, *, after: datetime) -> list[ContractPause]:
    return [
        one
        for one in queries.pauses(contract)
        if one.slot.offering_id == offering_id and not hasattr(one, "resumption") and one.ends_at > after
    ]


def _end(
    actor: Actor, contract: Contract, running: list[ContractPause], *, resumes_at: datetime, now: datetime
) -> list[ContractResumption]:
    made = ContractResumption.objects.bulk_create(
        ContractResumption(pause=one, resumes_at=max(resumes_at, one.starts_at), created_at=now) for one in running
    )
    offering_id, last_at = running[0].slot.offering_id, max(one.ends_at for one in running)
    _tell(actor, contract, "contract.resumed", offering_id, resumes_at, last_at, now=now)
    return made


def _check_not_over(contract: Contract) -> None:
    if ContractStatus(contract.status) in rules.OVER:
        raise ContractIsOver(contract.status)


def _tell(
    actor: Actor,
    contract: Contract,
    what: str,
    offering_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    *,
    now: datetime,
) -> None:
    said = {
        "offering": ids.spell("ofr", offering_id),
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
    }
    audit.record(actor, what, "contract", contract.id, None, said, now=now)
    events.emit_all(
        events.of(what, "contract", contract.id, party_id, said, now=now)
        for party_id in (contract.buyer_id, contract.provider_id)
    )
