"""The verbs of delivery: schedule, acknowledge, hand over, keep alive, end, close.

A provider acts on its own leases only; what the clock does (alarms, ends, closing) is in `ticks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids, rows, sealed
from billing.contracts import pauses
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.usage import services as usage
from billing.usage.models import MeteringPoint
from billing.usage.services import Metered
from catalog.measures.interval import Interval
from exchange.leases import rules
from exchange.leases.errors import (
    AccessDetailsMissing,
    EndReasonRefused,
    LeaseIsNotRunning,
    LeaseIsOver,
    LeaseNotFound,
    LeaseStillRuns,
    ReturnReported,
)
from exchange.leases.models import DeliveredSegment, Lease
from exchange.leases.rules import EndReason, LeaseStatus
from exchange.offers import gate as offers
from exchange.rounds.models import Round


@dataclass(frozen=True, slots=True)
class Delivery:
    """A run of constant quantity of one offering, to be delivered under a contract."""

    contract: Contract
    offering_id: UUID
    quantity: int
    starts_at: datetime
    ends_at: datetime


def schedule(round_: Round | None, deliveries: Sequence[Delivery], *, now: datetime) -> list[Lease]:
    """Make the leases of deliveries, and where each is metered; part of settling trades.

    `round_` is the round that decided them, None where a quote was accepted.
    """
    metered = [
        Metered(one.contract, one.offering_id, ids.new_id(), one.quantity, one.starts_at, one.ends_at)
        for one in deliveries
    ]
    points = usage.open_points(metered, now=now)
    made = rows.insert(
        Lease(
            id=point.reference_id,
            round=round_,
            contract=point.contract,
            offering_id=point.offering_id,
            buyer_id=point.contract.buyer_id,
            provider_id=point.provider_id,
            metering_point=point,
            quantity=point.quantity,
            starts_at=point.starts_at,
            ends_at=point.ends_at,
            status=LeaseStatus.SCHEDULED,
            acknowledge_by=rules.acknowledge_by(now, point.starts_at),
            scheduled_at=now,
        )
        for point in points
    )
    events.emit_all(event for lease in made for event in _told(lease, "lease.scheduled", now=now))
    return made


@transaction.atomic
def acknowledge(actor: Actor, lease_id: UUID, *, now: datetime) -> Lease:
    """Say that the lease will be delivered; saying it again changes nothing.

    Raises LeaseNotFound, LeaseMoveRefused.
    """
    lease = _own(actor, lease_id)
    if lease.acknowledged_at is not None and lease.status not in rules.OVER:
        return lease
    return move(actor, lease, LeaseStatus.ACKNOWLEDGED, now=now, acknowledged_at=now)


@transaction.atomic
def provision(actor: Actor, lease_id: UUID, *, now: datetime) -> Lease:
    """Say that hand-over is being prepared. Raises LeaseNotFound, LeaseMoveRefused."""
    return move(actor, _own(actor, lease_id), LeaseStatus.PROVISIONING, now=now)


@transaction.atomic
def activate(actor: Actor, lease_id: UUID, *, access: str, now: datetime) -> Lease:
    """Hand the lease over with the details of how to get in, which are stored encrypted.

    The first hand-over begins the contract. Handing over again replaces the access details.
    Raises LeaseNotFound, LeaseMoveRefused, LeaseIsOver, AccessDetailsMissing.
    """
    if not 1 <= len(access.strip()) <= rules.MAX_ACCESS_CHARACTERS:
        raise AccessDetailsMissing(len(access.strip()), rules.MAX_ACCESS_CHARACTERS)
    lease = _own(actor, lease_id)
    if lease.status in rules.OVER:
        raise LeaseIsOver(lease.status)
    details = sealed.seal(access.strip())
    if lease.status in rules.RUNNING:
        lease.access_sealed = details
        lease.last_heartbeat_at = now
        lease.save(update_fields=["access_sealed", "last_heartbeat_at"])
        # Never what the details are, only that they changed.
        audit.record(actor, "lease.access", "lease", lease.id, None, {"access": "replaced"}, now=now)
        return lease
    move(
        actor,
        lease,
        LeaseStatus.ACTIVE,
        now=now,
        access_sealed=details,
        activated_at=now,
        last_heartbeat_at=now,
        acknowledged_at=lease.acknowledged_at or now,
    )
    contracts.begin(actor, lease.contract_id, now=now)
    return lease


@transaction.atomic
def heartbeat(actor: Actor, lease_id: UUID, *, now: datetime) -> Lease:
    """Say that the lease is being delivered; an impaired lease is active again.

    Raises LeaseNotFound, LeaseIsNotRunning.
    """
    lease = _own(actor, lease_id)
    if lease.status not in rules.RUNNING:
        raise LeaseIsNotRunning(lease.status)
    lease.last_heartbeat_at = now
    lease.save(update_fields=["last_heartbeat_at"])
    if lease.status == LeaseStatus.IMPAIRED:
        move(actor, lease, LeaseStatus.ACTIVE, now=now)
    return lease


@transaction.atomic
def end(actor: Actor, lease_id: UUID, *, now: datetime, reason: EndReason = EndReason.COMPLETED) -> Lease:
    """End a lease at its time and close its reports, or stop it early for a reason.

    COMPLETED says that everything has been delivered and reported. A lease stopped early has failed; what is missing of
    it is not billed, and what its buyer sells back of it is on offer no more. Raises LeaseNotFound, LeaseStillRuns,
    LeaseIsOver, EndReasonRefused.
    """
    lease = _own(actor, lease_id, or_operator=True)
    if reason is EndReason.COMPLETED:
        if now < lease.ends_at:
            raise LeaseStillRuns(lease.ends_at)
        finish(actor, lease, now=now)
        close(actor, lease, now=now)
        return lease
    allowed = rules.EARLY_REASONS if actor.can(Capability.OPERATE) else rules.PROVIDER_REASONS
    if reason not in allowed:
        raise EndReasonRefused(reason, tuple(sorted(allowed)))
    if lease.status in rules.OVER:
        raise LeaseIsOver(lease.status)
    move(actor, lease, LeaseStatus.FAILED, now=now, end_reason=reason, ended_at=now)
    # Nobody keeps the units any more: what was paused is missing like the rest.
    pauses.fall_away(actor, contracts.locked(lease.contract_id), offering_id=lease.offering_id, now=now)
    window = Interval(lease.starts_at, lease.ends_at)
    offers.take_back(actor, lease.contract_id, lease.offering_id, window, now=now)
    return lease


def finish(actor: Actor, lease: Lease, *, now: datetime) -> None:
    """End a locked lease whose time is over, unless it has ended; it is ended or failed by how it stood."""
    if lease.status in rules.OVER:
        return
    target, reason = rules.end_at_the_end(lease.status)
    move(actor, lease, target, now=now, end_reason=reason, ended_at=max(now, lease.ends_at))


def close(actor: Actor, lease: Lease, *, now: datetime) -> None:
    """Close the reports of a locked lease that is over, and write down what was delivered of it.

    With the last lease of a contract the contract ends, which has it invoiced. Closing again changes nothing.
    """
    if lease.closed_at is not None:
        return
    # One lease of a contract at a time: each looks whether it is the last. With those before it, which may end, too.
    contracts.locked_with_origins(lease.contract_id)
    usage.close_point(lease.id, now=now)
    reported = [
        rules.Segment(segment.starts_at, segment.ends_at, segment.quantity)
        for segment in lease.metering_point.segments.filter(reversed_at__isnull=True)
    ]
    DeliveredSegment.objects.bulk_create(
        DeliveredSegment(
            lease=lease,
            starts_at=segment.starts_at,
            ends_at=segment.ends_at,
            quantity=segment.quantity,
            dispute_deadline=segment.ends_at + rules.DISPUTE_WINDOW,
        )
        for segment in rules.delivered(lease.starts_at, lease.ends_at, reported)
    )
    lease.closed_at = now
    lease.save(update_fields=["closed_at"])
    tell(lease, "lease.closed", now=now)
    if not Lease.objects.filter(contract_id=lease.contract_id, closed_at__isnull=True).exists():
        contracts.end(actor, lease.contract_id, now=now)


def move(actor: Actor, lease: Lease, target: LeaseStatus, *, now: datetime, **stamps: Any) -> Lease:
    """Change the status of a locked lease, with its event and its trail. Raises LeaseMoveRefused."""
    rules.check_move(lease.status, target)
    before = lease.status
    lease.status = target
    for name, value in stamps.items():
        setattr(lease, name, value)
    lease.save(update_fields=["status", *stamps])
    said = {"status": target.value} | ({"reason": lease.end_reason} if lease.end_reason else {})
    audit.record(actor, f"lease.{target}", "lease", lease.id, {"status": before}, said, now=now)
    tell(lease, f"lease.{target}", now=now)
    return lease


def tell(lease: Lease, type_: str, *, now: datetime) -> None:
    """Tell both parties what happened to a lease."""
    events.emit_all(_told(lease, type_, now=now))


def _told(lease: Lease, type_: str, *, now: datetime) -> list[Event]:
    payload = {
        "lease": ids.spell("lse", lease.id),
        "contract": ids.spell("ctr", lease.contract_id),
        "status": str(lease.status),
    }
    if lease.end_reason:
        payload["reason"] = str(lease.end_reason)
    parties = (lease.buyer_id, lease.provider_id)
    return [events.of(type_, "lease", lease.id, party_id, payload, now=now) for party_id in parties]


def bought(actor: Actor, lease_id: UUID) -> Lease:
    """Return a lease of the actor's own organisation, as its buyer, locked; raises LeaseNotFound, LeaseIsOver.

    A lease is locked before its contract, and both before wallet and capacity, as when it is closed.
    """
    leases = Lease.objects.select_for_update(of=("self",)).select_related("contract")
    found = leases.filter(id=lease_id, buyer_id=actor.organisation()).first()
    if found is None:
        raise LeaseNotFound
    if found.status in rules.OVER:
        raise LeaseIsOver(found.status)
    return found


def check_not_reported(lease: Lease, interval: Interval) -> None:
    """Raise ReturnReported when usage is reported for a time of which less is to be owed."""
    # Locked so that no batch of reports is half-way through; the next one finds what changed.
    point = MeteringPoint.objects.select_for_update(no_key=True).get(id=lease.metering_point_id)
    reported = point.segments.filter(reversed_at__isnull=True, ends_at__gt=interval.start, starts_at__lt=interval.end)
    last = reported.order_by("-ends_at").values_list("ends_at", flat=True).first()
    if last is not None:
        raise ReturnReported(last)


def _own(actor: Actor, lease_id: UUID, *, or_operator: bool = False) -> Lease:
    """Lock a lease that the actor delivers; any lease for the operator where it may step in."""
    leases = Lease.objects.select_for_update()
    if or_operator and actor.can(Capability.OPERATE):
        found = leases.filter(id=lease_id).first()
    else:
        actor.require(Capability.DELIVER)
        found = leases.filter(id=lease_id, provider_id=actor.organisation()).first()
    if found is None:
        raise LeaseNotFound
    return found
