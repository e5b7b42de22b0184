"""List units of an offering by the hour, and move them between free, offered, held and sold.

Every change locks the rows it touches in the order of (offering, hour) and then updates them in one
statement; the row's constraint has the last word. No two claims can both see the same unit free.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.foundation.errors import Invalid
from catalog.offerings.models import Offering
from catalog.offerings.rules import OfferingStatus
from exchange.capacity import rules
from exchange.capacity.errors import (
    CapacityCommitted,
    CapacityShort,
    CapacityTaken,
    OfferingRetired,
    OfferingUnknown,
)
from exchange.capacity.models import CapacitySlot

# What the hour of an offering is counted by: the offering and the instant at which the hour starts.
Hour = tuple[UUID, datetime]

_LOCKED: Final = """
    FROM exchange_capacityslot AS slot
    JOIN unnest(%s::uuid[], %s::timestamptz[]) AS wanted (offering_id, starts_at)
      ON wanted.offering_id = slot.offering_id AND wanted.starts_at = slot.starts_at
    ORDER BY slot.offering_id, slot.starts_at
    FOR NO KEY UPDATE OF slot
    """


@transaction.atomic
def list_capacity(
    actor: Actor,
    *,
    offering_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    quantity: int,
    now: datetime,
) -> list[CapacitySlot]:
    """Say how many units of an own offering exist in every hour of `[starts_at, ends_at)`.

    Saying it again replaces the number; 0 takes the hours off. Raises Invalid, OfferingUnknown, OfferingRetired,
    and CapacityCommitted for fewer units than are offered, held or sold in some hour.
    """
    actor.require(Capability.LIST)
    offering = _own_offering(actor, offering_id)
    problems = tuple(rules.listing_problems(starts_at=starts_at, ends_at=ends_at, quantity=quantity))
    if problems:
        raise Invalid("The capacity cannot be listed like this.", problems)
    starts = rules.hours(starts_at, ends_at)
    CapacitySlot.objects.bulk_create(
        [CapacitySlot(offering=offering, starts_at=start, listed=0) for start in starts],
        ignore_conflicts=True,
    )
    slots = lock([(offering_id, start) for start in starts])
    for slot in slots.values():
        committed = slot.listed - slot.free
        if quantity < committed:
            raise CapacityCommitted(starts_at=slot.starts_at, committed=committed, wanted=quantity)
    CapacitySlot.objects.filter(id__in=[slot.id for slot in slots.values()]).update(listed=quantity)
    audit.record(
        actor,
        "capacity.list",
        "offering",
        offering_id,
        None,
        {
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "quantity": quantity,
        },
        now=now,
    )
    return list(CapacitySlot.objects.filter(offering=offering, starts_at__in=starts).order_by("starts_at"))


def lock(hours: Sequence[Hour]) -> dict[Hour, CapacitySlot]:
    """Lock the rows of hours in the order of (offering, hour); hours that were never listed have none."""
    assert connection.in_atomic_block, "a lock outlives the statement only inside a transaction"
    if not hours:
        return {}
    rows = CapacitySlot.objects.raw(f"SELECT slot.* {_LOCKED}", _columns(hours))
    return {(row.offering_id, row.starts_at): row for row in rows}


def list_what_is_missing(wanted: Mapping[Hour, int]) -> None:
    """List as many more units in each hour as it takes for the wanted ones to be free."""
    CapacitySlot.objects.bulk_create(
        [CapacitySlot(offering_id=offering_id, starts_at=starts_at, listed=0) for offering_id, starts_at in wanted],
        ignore_conflicts=True,
    )
    slots = lock(list(wanted))
    _add({hour: max(0, units - slots[hour].free) for hour, units in wanted.items()}, listed=1)


def change_offered(changes: Mapping[Hour, int]) -> None:
    """Claim free units for offers (a positive change) and give them back (a negative one), hour by hour.

    Raises CapacityShort for the first hour in which less is listed and free than is claimed, and CapacityTaken when
    less is offered than is to be given back.
    """
    slots = lock(list(changes))
    for hour in sorted(changes):
        free, offered = (slots[hour].free, slots[hour].offered) if hour in slots else (0, 0)
        if changes[hour] > free:
            raise CapacityShort(starts_at=hour[1], free=free, wanted=changes[hour])
        if offered + changes[hour] < 0:
            raise CapacityTaken
    _add(changes, offered=1)


def sell(quantities: Mapping[Hour, int]) -> None:
    """Turn offered units into sold ones, hour by hour. Selling what is not offered fails the row's constraint."""
    _lock_unread(list(quantities))
    _add(quantities, sold=1, offered=-1)


def hold(quantities: Mapping[Hour, int]) -> None:
    """Turn offered units into held ones, which no auction and no other quote can have, hour by hour.

    Raises CapacityShort for the first hour in which fewer are offered.
    """
    slots = lock(list(quantities))
    for hour in sorted(quantities):
        offered = slots[hour].offered if hour in slots else 0
        if quantities[hour] > offered:
            raise CapacityShort(starts_at=hour[1], free=offered, wanted=quantities[hour])
    _add(quantities, held=1, offered=-1)


def release(quantities: Mapping[Hour, int]) -> None:
    """Turn held units into offered ones again. Releasing what is not held fails the row's constraint."""
    _lock_unread(list(quantities))
    _add(quantities, offered=1, held=-1)


def sell_held(quantities: Mapping[Hour, int]) -> None:
    """Turn held units into sold ones, hour by hour. Selling what is not held fails the row's constraint."""
    _lock_unread(list(quantities))
    _add(quantities, sold=1, held=-1)


def free_sold(quantities: Mapping[Hour, int]) -> None:
    """Turn sold units back into free ones, hour by hour: their buyer has handed them back."""
    lock(list(quantities))
    _add(quantities, sold=-1)


def _lock_unread(hours: Sequence[Hour]) -> None:
    """Lock the rows of hours as `lock` does, where the constraint alone judges what they hold."""
    assert connection.in_atomic_block, "a lock outlives the statement only inside a transaction"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_LOCKED}", _columns(hours))


def _columns(hours: Sequence[Hour]) -> list[list[Any]]:
    return [[offering_id for offering_id, _ in hours], [starts_at for _, starts_at in hours]]


def _add(changes: Mapping[Hour, int], **factors: int) -> None:
    """Add to columns of locked rows, to each its factor times the change, in a single statement."""
    assert factors.keys() <= {"listed", "offered", "held", "sold"}, factors
    changed = {hour: change for hour, change in changes.items() if change}
    if not changed:
        return
    new = ", ".join(f"{column} = slot.{column} + {factor} * change.units" for column, factor in factors.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE exchange_capacityslot AS slot SET {new}
            FROM unnest(%s::uuid[], %s::timestamptz[], %s::integer[]) AS change (offering_id, starts_at, units)
            WHERE change.offering_id = slot.offering_id AND change.starts_at = slot.starts_at
            """,  # noqa: S608 (columns out of four, and whole numbers)
            [*_columns(list(changed)), list(changed.values())],
        )
        assert cursor.rowcount == len(changed), "every hour that changes has been listed and locked"


def _own_offering(actor: Actor, offering_id: UUID) -> Offering:
    offering = Offering.objects.filter(id=offering_id, provider_id=actor.organisation()).first()
    if offering is None:
        raise OfferingUnknown
    if offering.status == OfferingStatus.RETIRED:
        raise OfferingRetired(offering.status)
    return offering
