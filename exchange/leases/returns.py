"""Handing back what is left of a lease: credited as its contract states, free for the provider to offer again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from billing.contracts import services as contracts
from billing.rating import returns
from catalog.measures.interval import Interval
from catalog.measures.money import Money, format_minor
from exchange.capacity import services as capacity
from exchange.capacity.rules import hours
from exchange.leases import queries, rules, services
from exchange.leases.errors import ReturnInvalid
from exchange.leases.models import Lease
from exchange.leases.rules import EndReason, LeaseStatus, Rectangle
from exchange.offers import queries as offers


@dataclass(frozen=True)
class Returned:
    """A lease after units of it were handed back, and what of their value was credited."""

    lease: Lease
    credited: Money


@transaction.atomic
def hand_back(actor: Actor, lease_id: UUID, rectangle: Rectangle, *, now: datetime) -> Returned:
    """Hand a rectangle of an own lease back: so many units, from then to then.

    The contract's return credit applies to it and the rest of its price stays due; the provider may offer the units
    again. What is on offer to others stays. A lease of which nothing is left is over. Raises LeaseNotFound,
    LeaseIsOver, ReturnInvalid, ReturnReported, NothingToHandBack, NotReturnable.
    """
    actor.require(Capability.TRADE)
    lease = services.bought(actor, lease_id)
    problems = tuple(
        rules.return_problems(
            queries.market_of(lease).terms, rectangle, starts_at=lease.starts_at, ends_at=lease.ends_at, now=now
        )
    )
    if problems:
        raise ReturnInvalid("The units cannot be handed back like this.", problems)
    # A lease is locked before its contract, and both before wallet and capacity, as when it is closed.
    contract = contracts.locked(lease.contract_id)
    services.check_not_reported(lease, Interval(rectangle.starts_at, rectangle.ends_at))
    credited_minor = returns.hand_back(
        actor,
        contract,
        offering_id=lease.offering_id,
        interval=Interval(rectangle.starts_at, rectangle.ends_at),
        quantity=rectangle.quantity,
        promised=offers.promised(contract.id, lease.offering_id),
        now=now,
    )
    capacity.free_sold(
        {(lease.offering_id, hour): rectangle.quantity for hour in hours(rectangle.starts_at, rectangle.ends_at)}
    )
    fit(actor, lease, EndReason.RETURNED, now=now)
    credited = Money(credited_minor, contract.currency)
    _tell(actor, lease, rectangle, credited, now=now)
    return Returned(lease, credited)


def fit(actor: Actor, lease: Lease, reason: EndReason, *, now: datetime) -> None:
    """Let a locked lease begin and end with what is left of it; with nothing left it is over, for the reason given."""
    left = queries.kept(lease)
    if not left:
        services.move(
            actor,
            lease,
            LeaseStatus.REPLACED,
            now=now,
            end_reason=reason,
            ended_at=max(now, lease.scheduled_at),
        )
        return
    lease.starts_at, lease.ends_at = left[0].starts_at, left[-1].ends_at
    lease.save(update_fields=["starts_at", "ends_at"])


def _tell(actor: Actor, lease: Lease, rectangle: Rectangle, credited: Money, *, now: datetime) -> None:
    said = {
        "lease": ids.spell("lse", lease.id),
        "contract": ids.spell("ctr", lease.contract_id),
        "quantity": rectangle.quantity,
        "starts_at": rectangle.starts_at.isoformat(),
        "ends_at": rectangle.ends_at.isoformat(),
    }
    amount = {"credited": format_minor(credited.amount_minor, credited.currency), "currency": credited.currency}
    audit.record(actor, "lease.returned", "lease", lease.id, None, said | amount, now=now)
    events.emit_all(
        events.of("lease.returned", "lease", lease.id, party_id, said, now=now)
        for party_id in (lease.buyer_id, lease.provider_id)
    )
