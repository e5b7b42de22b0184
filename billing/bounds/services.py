"""The verbs of bounds: let a parked account go on. Two people set them, as rules by date."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.jobs import services as jobs
from billing.bounds.errors import (
    AlreadyReleased,
    NoSuchParking,
    OwnRelease,
    ReleaseByPerson,
)
from billing.bounds.models import Parking

INVOICE_WAITING: Final = "invoice_waiting"  # bills what waited for the release whose id is the key


@transaction.atomic
def release(actor: Actor, parking_id: UUID, *, reason: str, now: datetime) -> Parking:
    """Let a parked account be billed again; above the threshold the first call asks and a colleague's releases.

    What waited is billed by a job. Raises NotAllowed, ReleaseByPerson, NoSuchParking, AlreadyReleased, OwnRelease.
    """
    actor.require(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    if actor.user_id is None:
        raise ReleaseByPerson
    parking = Parking.objects.select_for_update(no_key=True).filter(id=parking_id).first()
    if parking is None:
        raise NoSuchParking
    if not parking.is_open:
        raise AlreadyReleased
    if parking.asked_by_id is None:
        parking.asked_by_id, parking.asked_at, parking.reason = actor.user_id, now, reason
        if parking.takes_two:
            parking.save(update_fields=["asked_by", "asked_at", "reason"])
            _tell(actor, parking, "release_asked", reason, now=now)
            return parking
    elif parking.asked_by_id == actor.user_id:
        raise OwnRelease
    else:
        actor.require(Capability.APPROVE_BOOKS)
    parking.released_by_id, parking.released_at = actor.user_id, now
    parking.save(update_fields=["asked_by", "asked_at", "reason", "released_by", "released_at"])
    jobs.enqueue(INVOICE_WAITING, str(parking.id), now=now)
    _tell(actor, parking, "released", reason, now=now)
    return parking


def _tell(actor: Actor, parking: Parking, what: str, reason: str, *, now: datetime) -> None:
    said = {"organisation": ids.spell("org", parking.organisation_id), "side": parking.side, "reason": reason}
    audit.record(
        actor,
        f"account.{what}",
        "parking",
        parking.id,
        {"parked": True},
        said | {"parked": parking.is_open},
        now=now,
        organisation_id=parking.organisation_id,
    )
    spelled = {"parking": ids.spell("prk", parking.id)}
    events.emit(f"account.{what}", "parking", parking.id, None, said | spelled, now=now)
