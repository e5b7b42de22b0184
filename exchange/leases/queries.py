"""Reads of leases, scoped to their parties, with what was delivered so far."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import DecimalField, DurationField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Extract, Greatest, Least

from accounts.actors.actor import Actor, Capability
from accounts.foundation import sealed
from billing.contracts import queries as contracts
from billing.contracts import rules as contract_rules
from billing.contracts.models import ContractPause, ContractRelease, ContractResale
from billing.contracts.terms import SlotTerms
from billing.usage.models import AllocationSegment
from catalog.measures.interval import Interval
from exchange.leases import rules
from exchange.leases.errors import LeaseNotFound
from exchange.leases.models import Lease
from exchange.leases.rules import Rectangle, Segment
from exchange.markets.models import Market
from exchange.offers import queries as offers
from exchange.offers.errors import OfferNotFound
from exchange.offers.models import Offer


@dataclass(frozen=True)
class SegmentShown:
    """A stretch of a lease with what was reported; the deadline for disputes is known once reports are closed."""

    starts_at: datetime
    ends_at: datetime
    quantity: int
    contracted: int
    dispute_deadline: datetime | None


def visible_to(actor: Actor) -> QuerySet[Lease]:
    """Return the leases that the actor's organisation buys or delivers, staff all, with `delivered_unit_seconds`."""
    leases = Lease.objects.select_related(
        "contract", "offering__site", "offering__resource_type", "buyer", "provider"
    ).annotate(
        delivered_unit_seconds=_delivered_unit_seconds(),
        returned_unit_seconds=_returned_unit_seconds(),
        paused_unit_seconds=_paused_unit_seconds(),
        resold_unit_seconds=_resold_unit_seconds(),
    )
    if actor.is_staff or actor.is_system:
        return leases
    sides = Q()
    if actor.can(Capability.VIEW_BUYING):
        sides |= Q(buyer_id=actor.organisation())
    if actor.can(Capability.VIEW_SELLING) or actor.can(Capability.DELIVER):
        sides |= Q(provider_id=actor.organisation())
    return leases.filter(sides) if sides else leases.none()


def get(actor: Actor, lease_id: UUID) -> Lease:
    """Return a lease; raises LeaseNotFound for one that the actor may not know of."""
    found = visible_to(actor).filter(id=lease_id).first()
    if found is None:
        raise LeaseNotFound
    return found


def bought_by(lease: Lease) -> tuple[UUID | None, UUID | None]:
    """Return the order or the quote, one of them None, whose trades the lease's contract delivers."""
    order_id, quote_id = lease.contract.trades.values_list("order_id", "quote_id")[:1].get()
    return order_id, quote_id


def market_of(lease: Lease) -> Market:
    """Return the market that the lease was bought in."""
    return Market.objects.get(code=lease.contract.market_code)


def access_of(actor: Actor, lease: Lease) -> str | None:
    """Return how to get in: for the buyer alone, from the hand-over to the end."""
    if actor.organisation_id != lease.buyer_id or not actor.can(Capability.VIEW_BUYING):
        return None
    if lease.status not in rules.RUNNING or lease.access_sealed is None:
        return None
    return sealed.unseal(bytes(lease.access_sealed))


def segments(lease: Lease) -> list[SegmentShown]:
    """Return a lease's time as reported so far, zero in the gaps; from its closing on, all of it as it stands."""
    runs = owed(lease)
    if lease.closed_at is not None:
        closed = lease.delivered_segments.order_by("starts_at")
        deadlines = {row.starts_at: row.dispute_deadline for row in closed}
        there = [Segment(row.starts_at, row.ends_at, row.quantity) for row in closed]
        return [shown for segment in there for shown in _against(runs, segment, deadlines[segment.starts_at])]
    reported = [
        Segment(row.starts_at, row.ends_at, row.quantity)
        for row in AllocationSegment.objects.filter(
            metering_point_id=lease.metering_point_id, reversed_at__isnull=True
        ).order_by("starts_at")
    ]
    # What is not reported yet may still come: the account ends with the last report.
    until = max((segment.ends_at for segment in reported), default=lease.starts_at)
    if until == lease.starts_at:
        return []
    there = list(rules.delivered(lease.starts_at, until, reported))
    return [shown for segment in there for shown in _against(runs, segment, None)]


def _against(runs: Sequence[Rectangle], segment: Segment, deadline: datetime | None) -> Iterator[SegmentShown]:
    """Yield a segment cut where what is owed changes; nothing is owed of what was handed or sold back whole."""
    edges = {edge for run in runs for edge in (run.starts_at, run.ends_at)}
    for piece in Interval(segment.starts_at, segment.ends_at).split(edges):
        contracted = sum(run.quantity for run in runs if run.starts_at <= piece.start < run.ends_at)
        yield SegmentShown(piece.start, piece.end, segment.quantity, contracted, deadline)


def contracted_unit_hours(lease: Any) -> Decimal:
    """Return the unit-hours that a lease (of visible_to) is for, without what was handed or sold back, or paused."""
    whole = Decimal(lease.quantity * int((lease.ends_at - lease.starts_at).total_seconds()))
    gone = (lease.returned_unit_seconds, lease.paused_unit_seconds, lease.resold_unit_seconds)
    return (whole - sum(seconds or 0 for seconds in gone)) / 3600


def owed(lease: Lease) -> list[Rectangle]:
    """Return what is to be handed over of a lease, run by run: its quantity less what was given up or is paused."""
    return _runs(lease, contracts.owed(lease.contract))


def free(lease: Lease) -> list[Rectangle]:
    """Return what is owed of a lease and not on offer to others, run by run: its buyer may still change it."""
    promised = offers.promised(lease.contract_id, lease.offering_id)
    own = [(id_, run) for id_, run in contracts.owed(lease.contract) if run.offering_id == lease.offering_id]
    return _runs(lease, ((id_, part) for id_, run in own for part in contract_rules.owed(run, promised)))


def on_offer(actor: Actor, lease: Lease) -> list[Rectangle]:
    """Return what is offered of a lease for its buyer, run by run; nobody but them and the staff may know."""
    if not sells_back(actor, lease):
        return []
    return [
        Rectangle(one.quantity, part.start, part.end)
        for one in offers.promised(lease.contract_id, lease.offering_id)
        if (part := one.interval.intersect(Interval(lease.starts_at, lease.ends_at))) is not None
    ]


def resales(actor: Actor, lease_id: UUID) -> QuerySet[Offer]:
    """Return the offers of hours of a lease that are, or were, sold back; raises LeaseNotFound.

    They are its buyer's; the provider learns of what was sold, not of what is on offer.
    """
    lease = get(actor, lease_id)
    if not sells_back(actor, lease):
        raise LeaseNotFound
    point = lease.metering_point  # over the whole of the lease, as it was at first
    of_lease = offers.back_from(lease.contract_id, lease.offering_id).filter(
        starts_at__gte=point.starts_at, ends_at__lte=point.ends_at
    )
    return of_lease.prefetch_related("trades")


def resale(actor: Actor, lease_id: UUID, offer_id: UUID) -> Offer:
    """Return one of them; raises LeaseNotFound, OfferNotFound."""
    found = resales(actor, lease_id).filter(id=offer_id).first()
    if found is None:
        raise OfferNotFound
    return found


def sells_back(actor: Actor, lease: Lease) -> bool:
    """Whether an actor may know what of a lease is on offer: its buyer and the staff."""
    return actor.is_staff or (actor.organisation_id == lease.buyer_id and actor.can(Capability.VIEW_BUYING))


def kept(lease: Lease) -> list[Rectangle]:
    """Return what is the buyer's of a lease, run by run: what is owed, and what is paused."""
    return _runs(lease, contracts.kept(lease.contract))


def pauses(lease: Lease) -> list[Rectangle]:
    """Return what is paused of a lease, in order."""
    return [
        Rectangle(pause.quantity, held.start, held.end)
        for pause in contracts.pauses(lease.contract)
        if pause.slot.offering_id == lease.offering_id and (held := contracts.interval_of(pause)) is not None
    ]


def _runs(lease: Lease, schedule: Iterable[tuple[UUID, SlotTerms]]) -> list[Rectangle]:
    runs: list[Rectangle] = []
    for _, slot in schedule:
        starts_at, ends_at = max(slot.starts_at, lease.starts_at), min(slot.ends_at, lease.ends_at)
        if slot.offering_id != lease.offering_id or starts_at >= ends_at:
            continue
        last = runs[-1] if runs else None
        if last and (last.ends_at, last.quantity) == (starts_at, slot.quantity):
            runs[-1] = Rectangle(last.quantity, last.starts_at, ends_at)
        else:
            runs.append(Rectangle(slot.quantity, starts_at, ends_at))
    return runs


@dataclass(frozen=True)
class Credits:
    """What of the price (ppm) the contract states for the hours of a lease, without repeats."""

    returns_ppm: list[int]
    pauses_ppm: list[int]
    resales_ppm: list[int]


def stated_credits(lease: Lease) -> Credits:
    """Return what handing back and pausing are credited at, and what is kept of the price of hours sold back."""
    own = [slot for _, slot in contracts.kept(lease.contract) if slot.offering_id == lease.offering_id]
    return Credits(
        sorted({slot.return_credit_ppm for slot in own if slot.return_credit_ppm is not None}),
        sorted({slot.pause_credit_ppm for slot in own if slot.pause_credit_ppm is not None}),
        sorted({slot.resale_commission_ppm for slot in own if slot.resale_commission_ppm is not None}),
    )


def _delivered_unit_seconds() -> Subquery:
    seconds = Extract(ExpressionWrapper(F("ends_at") - F("starts_at"), output_field=DurationField()), "epoch")
    exact: DecimalField[Decimal, Decimal] = DecimalField(max_digits=24, decimal_places=6)
    totals = (
        AllocationSegment.objects.filter(metering_point_id=OuterRef("metering_point_id"), reversed_at__isnull=True)
        .order_by()
        .values("metering_point_id")
        .annotate(total=Sum(ExpressionWrapper(F("quantity") * seconds, output_field=exact)))
        .values("total")
    )
    return Subquery(totals, output_field=exact)


def _returned_unit_seconds() -> Subquery:
    """What was handed back inside the lease's present bounds."""
    return _unit_seconds_inside(ContractRelease.objects.annotate(until=F("ends_at")))


def _resold_unit_seconds() -> Subquery:
    """What was sold back inside the lease's present bounds."""
    return _unit_seconds_inside(ContractResale.objects.annotate(until=F("ends_at")))


def _paused_unit_seconds() -> Subquery:
    """What was paused inside the lease's present bounds."""
    until = Coalesce("resumption__resumes_at", "ends_at")
    return _unit_seconds_inside(ContractPause.objects.annotate(until=until))


def _unit_seconds_inside(rows: QuerySet[Any]) -> Subquery:
    starts_at, ends_at = Greatest(F("starts_at"), OuterRef("starts_at")), Least(F("until"), OuterRef("ends_at"))
    seconds = Extract(ExpressionWrapper(ends_at - starts_at, output_field=DurationField()), "epoch")
    exact: DecimalField[Decimal, Decimal] = DecimalField(max_digits=24, decimal_places=6)
    inside = rows.filter(
        contract_id=OuterRef("contract_id"),
        slot__offering_id=OuterRef("offering_id"),
        starts_at__lt=OuterRef("ends_at"),
        until__gt=Greatest(F("starts_at"), OuterRef("starts_at")),
    )
    totals = (
        inside.order_by()
        .values("contract_id")
        .annotate(total=Sum(ExpressionWrapper(F("quantity") * seconds, output_field=exact)))
        .values("total")
    )
    return Subquery(totals, output_field=exact)
