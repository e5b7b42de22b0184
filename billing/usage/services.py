"""The verbs of usage: open and close metering points, and take in reports."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import rows
from accounts.foundation.errors import Invalid
from billing.contracts.models import Contract
from billing.usage import acceptance, cloudevents, store, swift
from billing.usage.acceptance import Accepted, Conflicting, Duplicate
from billing.usage.cloudevents import Refusal, Report
from billing.usage.errors import BatchTooLarge, EmptyBatch, NoSuchPoint, UsageBusy
from billing.usage.models import MeteringPoint
from billing.usage.rules import MAX_BATCH, ItemStatus

MAX_TURNS: Final = 5


@dataclass(slots=True)
class Line:
    """An item as a line of JSON; `parse` is the strict parser, which raises Invalid."""

    text: bytes
    parse: Callable[[bytes], object]


@dataclass(slots=True)
class ItemResult:
    """What became of one item; `pointer` is a JSON Pointer into the batch where something is wrong."""

    index: int
    source: str | None
    event_id: str | None
    status: ItemStatus
    usage_event_id: UUID | None = None
    code: str = ""
    detail: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Metered:
    """What is metered: the lease of a contract (`reference_id`), with its bounds, which are copied."""

    contract: Contract
    offering_id: UUID
    reference_id: UUID
    quantity: int
    starts_at: datetime
    ends_at: datetime


def open_point(
    contract: Contract,
    *,
    offering_id: UUID,
    reference_id: UUID,
    quantity: int,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> MeteringPoint:
    """Make the row that usage of one lease is checked against; see open_points."""
    (point,) = open_points([Metered(contract, offering_id, reference_id, quantity, starts_at, ends_at)], now=now)
    return point


def open_points(metered: Iterable[Metered], *, now: datetime) -> list[MeteringPoint]:
    """Make the rows that usage of leases is checked against, in their order.

    One lease of a contract and offering is metered at a time; a constraint has the last word.
    """
    return rows.insert(_point(one, now=now) for one in metered)


def _point(metered: Metered, *, now: datetime) -> MeteringPoint:
    contract = metered.contract
    assert contract.starts_at <= metered.starts_at < metered.ends_at <= contract.ends_at, metered
    return MeteringPoint(
        contract=contract,
        provider_id=contract.provider_id,
        offering_id=metered.offering_id,
        reference_id=metered.reference_id,
        quantity=metered.quantity,
        starts_at=metered.starts_at,
        ends_at=metered.ends_at,
        opened_at=now,
    )


@transaction.atomic
def close_point(reference_id: UUID, *, now: datetime) -> MeteringPoint:
    """End the reporting for a lease: time without a segment is undelivered from now on. Safe to repeat.

    Raises NoSuchPoint.
    """
    # Locked so that no batch is half-way through reporting for it.
    point = MeteringPoint.objects.select_for_update(no_key=True).filter(reference_id=reference_id).first()
    if point is None:
        raise NoSuchPoint
    if point.closed_at is None:
        point.closed_at = now
        point.save(update_fields=["closed_at"])
    return point


def ingest(actor: Actor, items: Sequence[object], *, now: datetime) -> list[ItemResult]:
    """Take in a batch of CloudEvents for the actor's organisation; every item gets one result, in order.

    Accepted events are stored with the batch's transaction, once for ever; a bad item spoils no other.
    Raises EmptyBatch, BatchTooLarge, NotAllowed.
    """
    actor.require(Capability.METER)
    organisation_id = actor.organisation()
    if not items:
        raise EmptyBatch
    if len(items) > MAX_BATCH:
        raise BatchTooLarge(len(items))
    read = [_read(index, item) for index, item in enumerate(items)]
    reports = [item for item in read if isinstance(item, Report)]
    refusals = [item for item in read if isinstance(item, Refusal)]
    with transaction.atomic():
        decisions = _decided(organisation_id, reports, received_at=now)
        results = [_result(decision) for decision in (*decisions, *refusals)]
        declined = refusals + [decision for decision in decisions if isinstance(decision, Refusal)]
        store.keep_rejections(organisation_id, declined, received_at=now)
        store.keep_conflicts(
            organisation_id,
            [decision.report for decision in decisions if isinstance(decision, Conflicting)],
            received_at=now,
        )
    return sorted(results, key=lambda result: result.index)


def _read(index: int, item: object) -> Report | Refusal:
    if not isinstance(item, Line):
        return (swift.event(index, item) if isinstance(item, dict) else None) or cloudevents.read(index, item)
    report = swift.line(index, item.text)
    if report is not None:
        return report
    try:
        return cloudevents.read(index, item.parse(item.text))
    except Invalid as error:
        return cloudevents.unreadable(index, item.text.decode("utf-8", "replace"), error.detail)


def _decided(organisation_id: UUID, reports: Sequence[Report], *, received_at: datetime) -> list[acceptance.Decision]:
    """Decide and store; an event that another batch brought at the same moment is decided once more."""
    for _ in range(MAX_TURNS):
        scene = store.locked_scene(organisation_id, reports)
        with transaction.atomic():
            decisions = acceptance.decide(reports, scene, received_at=received_at)
            accepted = [decision for decision in decisions if isinstance(decision, Accepted)]
            if store.keep_accepted(organisation_id, accepted, received_at=received_at):
                return decisions
            # The same id came in for another lease meanwhile, whose point we do not lock. It is
            # committed now, so the next look sees it: each turn knows at least one event more.
            transaction.set_rollback(True)
    raise UsageBusy


def _result(decision: acceptance.Decision) -> ItemResult:
    if isinstance(decision, Refusal):
        return ItemResult(
            index=decision.index,
            source=decision.source,
            event_id=decision.event_id,
            status=ItemStatus.REJECTED,
            code=decision.code,
            detail=decision.detail,
            pointer=f"/{decision.index}{decision.pointer}",
        )
    report = decision.report
    if isinstance(decision, Accepted):
        return ItemResult(report.index, report.key.source, report.key.event_id, ItemStatus.ACCEPTED, decision.id)
    if isinstance(decision, Duplicate):
        return ItemResult(report.index, report.key.source, report.key.event_id, ItemStatus.DUPLICATE)
    return ItemResult(
        report.index,
        report.key.source,
        report.key.event_id,
        ItemStatus.CONFLICT,
        code="conflicting_payload",
        detail="An event with this source and id was accepted with another payload; that one stands.",
        pointer=f"/{report.index}/id",
    )
