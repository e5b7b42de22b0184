"""Writing the outbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.events.models import Event


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
    return Event.objects.create(
        type=type,
        subject_type=subject_type,
        subject_id=subject_id,
        organisation_id=organisation_id,
        payload=dict(payload),
        at=now,
    )
