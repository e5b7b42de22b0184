"""Checks of what providers reported and could not be taken: one item for each organisation, reason and day.

A client that sends ten thousand wrong events gives one break, with how many they are and what the first and the last
of them say. The reason is our code for it: what a sender writes, such as a source, could make as many as he likes.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final

from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat

from billing.periods.rules import BOOKS_ZONE
from billing.reconciliation.models import Break
from billing.reconciliation.rules import USAGE_MEMORY, Item, ItemKind
from billing.usage.models import UsageConflict, UsageRejection

Reports = QuerySet[UsageConflict] | QuerySet[UsageRejection]

_SUBJECTS: Final[Mapping[ItemKind, str]] = {
    ItemKind.USAGE_CONFLICT: "usage_conflict",
    ItemKind.USAGE_REJECTED: "usage_rejection",
}
_EXAMPLE: Final = 180  # characters of the first and the last

# The day is one of the books; whole days, so that the first of a group stays its first.
_GROUPS: Final = """
    SELECT report.organisation_id, whose.name, {code} AS code,
           (report.received_at AT TIME ZONE '{zone}')::date AS day, count(*), min(report.received_at),
           (array_agg(report.id ORDER BY report.received_at, report.id))[1],
           (array_agg({detail} ORDER BY report.received_at, report.id))[1],
           (array_agg({detail} ORDER BY report.received_at DESC, report.id DESC))[1]
    FROM {table} report JOIN accounts_organisation whose ON whose.id = report.organisation_id
    WHERE report.received_at >= %s
    GROUP BY report.organisation_id, whose.name, {code}, day ORDER BY 6, 7 LIMIT %s
"""
_CONFLICTS: Final = _GROUPS.format(
    table="billing_usageconflict", zone=BOOKS_ZONE.key, code="''::text",
    detail="report.source || ' sent ' || report.event_id || ' twice with different content; the first one counts.'",
)  # fmt: skip
_REJECTIONS: Final = _GROUPS.format(
    table="billing_usagerejection", zone=BOOKS_ZONE.key, code="report.code", detail="report.detail"
)


def conflicts(now: datetime, limit: int) -> list[Item]:
    """Return reports that came again under the same id with another content."""
    many = "{} usage reports came twice with different content{}"
    return _groups(ItemKind.USAGE_CONFLICT, _CONFLICTS, "{}", many, now, limit)


def rejections(now: datetime, limit: int) -> list[Item]:
    """Return reports that were declined and can still be sent again, corrected."""
    one, many = "A usage report was declined: {}", "{} usage reports were declined ({})"
    return _groups(ItemKind.USAGE_REJECTED, _REJECTIONS, one, many, now, limit)


def reports_of(row: Break) -> Reports:
    """Return the reports that a break is about, none where it is about something else."""
    if row.kind not in _SUBJECTS:
        return UsageRejection.objects.none()
    assert row.subject_id is not None, "its first report"
    assert row.organisation_id is not None, "who sent it"
    day = _day(row.since)
    if row.kind == ItemKind.USAGE_CONFLICT:
        detail = Concat("source", Value(" sent "), "event_id", Value(" twice with different content"))
        conflicts = UsageConflict.objects.annotate(code=Value("conflict"), pointer=Value(""), detail=detail)
        return conflicts.filter(received_at__range=day, organisation_id=row.organisation_id)
    code = UsageRejection.objects.filter(id=row.subject_id).values("code")
    return UsageRejection.objects.filter(received_at__range=day, organisation_id=row.organisation_id, code__in=code)


def _groups(kind: ItemKind, query: str, one: str, many: str, now: datetime, limit: int) -> list[Item]:
    with connection.cursor() as cursor:
        cursor.execute(query, [_day(now - USAGE_MEMORY)[0], limit])
        rows = cursor.fetchall()
    return [
        Item(
            kind,
            since,
            one.format(first)
            if count == 1
            else f"{many.format(count, code)}, the first: {first[:_EXAMPLE]} The last: {last[:_EXAMPLE]}",
            _SUBJECTS[kind],
            first_id,
            organisation_id,
            name,
            count=count,
        )
        for organisation_id, name, code, _, count, since, first_id, first, last in rows
    ]


def _day(at: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last instant of the day of the books that an instant is in."""
    begins = datetime.combine(at.astimezone(BOOKS_ZONE).date(), time(), tzinfo=BOOKS_ZONE)
    return begins, begins + timedelta(days=1) - timedelta(microseconds=1)
