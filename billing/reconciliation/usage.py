"""Checks of what providers reported and could not be taken."""

from datetime import datetime

from billing.reconciliation.rules import USAGE_MEMORY, Item, ItemKind
from billing.usage.models import UsageConflict, UsageRejection


def conflicts(now: datetime, limit: int) -> list[Item]:
    """Return reports that came again under the same id with another content."""
    rows = UsageConflict.objects.filter(received_at__gt=now - USAGE_MEMORY).select_related("organisation")
    return [
        Item(
            ItemKind.USAGE_CONFLICT,
            row.received_at,
            f"{row.source} sent {row.event_id} twice with different content; the first one counts.",
            "usage_conflict",
            row.id,
            row.organisation_id,
            row.organisation.name,
        )
        for row in rows.order_by("received_at")[:limit]
    ]


def rejections(now: datetime, limit: int) -> list[Item]:
    """Return reports that were declined and can still be sent again, corrected."""
    rows = UsageRejection.objects.filter(received_at__gt=now - USAGE_MEMORY).select_related("organisation")
    return [
        Item(
            ItemKind.USAGE_REJECTED,
            row.received_at,
            f"A usage report was declined: {row.detail}",
            "usage_rejection",
            row.id,
            row.organisation_id,
            row.organisation.name,
        )
        for row in rows.order_by("received_at")[:limit]
    ]
