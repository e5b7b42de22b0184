"""Writing the outbox."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.events.models import Event
from accounts.foundation import rows


def emit(
    type: str,  # noqa: A002 (the field's name in every event format)
    subject_type: str,
    subject_id: UUID,
    organisation_id: UUID | None,
    payload: Mapping[str, Any],
    *,
    now: datetime,
) -> Event:
    """Note in the present transaction that something happened, for one organisation or (None) for staff alone.

    The payload must be JSON: ids in their outside spelling, amounts and times as text.
    """
    event = of(type, subject_type, subject_id, organisation_id, payload, now=now)
    event.save(force_insert=True)
    return event


def emit_all(told: Iterable[Event]) -> None:
    """Note many things at once, in their order: a gate tells every order of its book while it holds the round."""
    rows.insert(told)


def of(
    type: str,  # noqa: A002 (the field's name in every event format)
    subject_type: str,
    subject_id: UUID,
    organisation_id: UUID | None,
    payload: Mapping[str, Any],
    *,
    now: datetime,
) -> Event:
    """Return an event that is not noted yet, for emit_all; the arguments are those of emit."""
    return Event(
        type=type,
        subject_type=subject_type,
        subject_id=subject_id,
        organisation_id=organisation_id,
        payload=dict(payload),
        at=now,
    )
