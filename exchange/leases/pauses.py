"""Doing without a lease for some hours ahead: credited as its contract states; the provider keeps the units."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from billing.contracts import pauses
from billing.contracts import services as contracts
from catalog.measures.interval import Interval
from exchange.leases import queries, rules, services
from exchange.leases.errors import PauseInvalid
from exchange.leases.models import Lease
from exchange.offers import queries as offers


@dataclass(frozen=True)
class Window:
    """From when to when a lease is to be paused."""

    starts_at: datetime
    ends_at: datetime


@transaction.atomic
def pause(actor: Actor, lease_id: UUID, window: Window, *, now: datetime) -> Lease:
    """Do without an own lease from then to then: nothing is delivered, and the pause credit applies.

    The provider keeps the units, so that they can be taken up again. What is on offer to others is not paused. Raises
    LeaseNotFound, LeaseIsOver, PauseInvalid, ReturnReported, NothingToPause, NotPausable.
    """
    actor.require(Capability.TRADE)
    lease = services.bought(actor, lease_id)
    _check(lease, window.starts_at, window.ends_at, now=now)
    contract = contracts.locked(lease.contract_id)
    interval = Interval(window.starts_at, window.ends_at)
    services.check_not_reported(lease, interval)
    promised = offers.promised(contract.id, lease.offering_id)
    pauses.pause(actor, contract, offering_id=lease.offering_id, interval=interval, promised=promised, now=now)
    services.tell(lease, "lease.paused", now=now)
    return lease


@transaction.atomic
def resume(actor: Actor, lease_id: UUID, *, starts_at: datetime, now: datetime) -> Lease:
    """Take an own lease up again from an instant on, whatever was to be paused then or later.

    Raises LeaseNotFound, LeaseIsOver, PauseInvalid, NothingPaused.
    """
    actor.require(Capability.TRADE)
    lease = services.bought(actor, lease_id)
    _check(lease, starts_at, lease.ends_at, now=now)
    contract = contracts.locked(lease.contract_id)
    pauses.resume(actor, contract, offering_id=lease.offering_id, resumes_at=starts_at, now=now)
    services.tell(lease, "lease.resumed", now=now)
    return lease


def _check(lease: Lease, starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    market = queries.market_of(lease).terms
    found = rules.change_problems(market, starts_at, ends_at, starts_at=lease.starts_at, ends_at=lease.ends_at, now=now)
    problems = tuple(found)
    if problems:
        raise PauseInvalid("The lease cannot be paused or taken up again like this.", problems)
