"""Reads of what changes prices, scoped to who asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor
from billing.pricing import rules
from billing.pricing.models import Coefficient, CustomerClass, PriceAdjustment, Voucher
from catalog.measures.interval import Interval
from catalog.offerings.models import Offering


def classes_given(actor: Actor) -> QuerySet[CustomerClass]:
    """The classes that the actor's organisation gave its buyers; every one to staff."""
    rows = CustomerClass.objects.select_related("buyer", "provider")
    return rows if actor.is_staff else rows.filter(provider_id=actor.organisation())


def adjustments_made(actor: Actor) -> QuerySet[PriceAdjustment]:
    """The adjustments of the actor's own offerings; every one to staff."""
    rows = PriceAdjustment.objects.all()
    return rows if actor.is_staff else rows.filter(offering__provider_id=actor.organisation())


def vouchers_held(actor: Actor) -> QuerySet[Voucher]:
    """The vouchers of the actor's organisation; every one to staff."""
    rows = Voucher.objects.select_related("organisation")
    return rows if actor.is_staff else rows.filter(organisation_id=actor.organisation())


@dataclass(frozen=True, slots=True)
class DatedPrices:
    """What changes prices from an instant on, read once for many contracts."""

    adjustments: Mapping[UUID, Sequence[PriceAdjustment]]  # by offering, in the order of time
    classes: Mapping[tuple[UUID, UUID], Sequence[CustomerClass]]  # by provider and buyer
    coefficients: Sequence[Coefficient]  # by precision and time


def in_force(offerings: Iterable[Offering], buyer_ids: Iterable[UUID], *, at: datetime) -> DatedPrices:
    """Read what holds at an instant or is announced by then; the number of queries does not grow with the rows."""
    listed = list(offerings)
    open_then = Q(effective_to__isnull=True) | Q(effective_to__gt=at)
    adjustments: dict[UUID, list[PriceAdjustment]] = {}
    for row in PriceAdjustment.objects.filter(open_then, offering__in=listed).order_by("effective_from"):
        adjustments.setdefault(row.offering_id, []).append(row)
    classes: dict[tuple[UUID, UUID], list[CustomerClass]] = {}
    if adjustments:
        providers = {offering.provider_id for offering in listed}
        for given in CustomerClass.objects.filter(open_then, provider__in=providers, buyer__in=set(buyer_ids)):
            classes.setdefault((given.provider_id, given.buyer_id), []).append(given)
    coefficients = Coefficient.objects.filter(open_then).order_by("precision", "effective_from") if listed else ()
    return DatedPrices(adjustments, classes, tuple(coefficients))


def adjustments_for(
    known: DatedPrices, offering: Offering, buyer_id: UUID, window: Interval
) -> list[tuple[PriceAdjustment, Interval]]:
    """Return the adjustments that a buyer's contract takes over, each with when it holds; the closest fit first.

    A row for a customer class holds as long as the buyer is in it.
    """
    held = [
        (row.code, _time(row.effective_from, row.effective_to, window))
        for row in known.classes.get((offering.provider_id, buyer_id), ())
    ]
    found: list[tuple[PriceAdjustment, Interval]] = []
    for row in known.adjustments.get(offering.id, ()):
        if row.qos not in {"", offering.qos} or row.effective_from >= window.end:
            continue
        own = _time(row.effective_from, row.effective_to, window)
        times = (
            [own]
            if not row.customer_class
            else [
                shared
                for code, time in held
                if code == row.customer_class and (shared := own.intersect(time)) is not None
            ]
        )
        found += [(row, time) for time in times]
    return sorted(
        found,
        key=lambda item: rules.specificity(meter=item[0].meter, customer_class=item[0].customer_class, qos=item[0].qos),
        reverse=True,
    )


def _time(effective_from: datetime, effective_to: datetime | None, window: Interval) -> Interval:
    return Interval(effective_from, effective_to or max(window.end, effective_from + (window.end - window.start)))
