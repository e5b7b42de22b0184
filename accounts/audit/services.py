"""Writing the audit trail."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

from accounts.actors.actor import Actor
from accounts.audit import origin
from accounts.audit.models import AuditRecord
from accounts.foundation import canonical, ids, rows

Fields = Mapping[str, object]

_LARGEST_EXACT = 2**53 - 1  # RFC 8785 numbers are IEEE doubles; larger integers are written as text


def record(
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: UUID,
    before: Fields | None,
    after: Fields | None,
    *,
    now: datetime,
    organisation_id: UUID | None = None,
) -> AuditRecord:
    """Note a change in the transaction that makes it: `record(actor, "order.cancel", "order", id, old, new, now=now)`.

    `before` and `after` hold the fields that changed (None where the subject did not exist).
    `organisation_id` is whose affair it is: the actor's own organisation unless given.
    """
    made = of(actor, action, subject_type, subject_id, before, after, now=now, organisation_id=organisation_id)
    made.save(force_insert=True)
    return made


def record_all(made: Iterable[AuditRecord]) -> None:
    """Note many changes of the present transaction at once, in their order."""
    rows.insert(made)


def of(
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: UUID,
    before: Fields | None,
    after: Fields | None,
    *,
    now: datetime,
    organisation_id: UUID | None = None,
) -> AuditRecord:
    """Return a record that is not noted yet, for record_all; the arguments are those of record."""
    record_id = ids.new_id()
    organisation_id = organisation_id or actor.organisation_id
    document = {
        "id": record_id,
        "at": now,
        "actor": actor.label,
        "organisation": organisation_id,
        "action": action,
        "subject": {"type": subject_type, "id": subject_id},
        "before": before,
        "after": after,
        "origin": origin.current(),
    }
    return AuditRecord(
        id=record_id,
        at=now,
        actor_label=actor.label,
        organisation_id=organisation_id,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        text=canonical.dump(_plain(document)).decode(),
    )


def _plain(value: object) -> object:
    """Return the value in the types of JSON; floats have no place in the trail."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_EXACT else str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        return sorted(items, key=str) if isinstance(value, (set, frozenset)) else items
    assert isinstance(value, (str, UUID, Decimal)), f"{type(value).__name__} cannot be written to the audit trail"
    return str(value)
