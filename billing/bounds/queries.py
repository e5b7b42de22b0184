"""Reads of bounds and parked accounts."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from billing.bounds.errors import NoSuchParking
from billing.bounds.models import BillBound, Parking
from billing.bounds.rules import Limits


def limits(organisation_ids: Collection[UUID], *, now: datetime) -> Callable[[UUID, str], Limits]:
    """Return what tells the bounds of a party in a currency: its own, else everybody's, else everybody's in CNY."""
    rows = BillBound.objects.filter(
        Q(organisation_id__in=organisation_ids) | Q(organisation=None), effective_from__lte=now
    )
    in_force = {(row.organisation_id, row.currency): row.limits for row in rows.order_by("effective_from")}

    def of(organisation_id: UUID, currency: str) -> Limits:
        found = in_force.get((organisation_id, currency)) or in_force.get((None, currency))
        return found or in_force[None, "CNY"]  # loaded by a migration

    return of


def is_parked(organisation_id: UUID, side: str) -> bool:
    """Whether nothing is billed to a party at present."""
    return Parking.objects.filter(organisation_id=organisation_id, side=side, released_at=None).exists()


def visible_parkings(actor: Actor) -> QuerySet[Parking]:
    """Return the accounts that are or were parked, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return Parking.objects.select_related("organisation", "contract", "asked_by", "released_by")


def parking(actor: Actor, parking_id: UUID) -> Parking:
    """Return one; raises NoSuchParking."""
    found = visible_parkings(actor).filter(id=parking_id).first()
    if found is None:
        raise NoSuchParking
    return found


def visible_bounds(actor: Actor) -> QuerySet[BillBound]:
    """Return all bounds, those that hold last first, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return BillBound.objects.select_related("organisation")
