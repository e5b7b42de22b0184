"""Rows of the tax table: a jurisdiction's rate for a category, from an instant on and perhaps to another.

A row without an end follows the one before it, which ends where it begins. Contracts made before keep what they took
over. Rows of one jurisdiction and category never overlap, which the database has the last word on.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.foundation import strict
from accounts.foundation.errors import FieldProblem, mismatch
from accounts.foundation.tables import Row
from billing.contracts.models import TaxRate
from billing.policies import dated

REQUIRED: Final = ("jurisdiction", "category", "percent", "effective_from", "source")
OPTIONAL: Final = ("effective_to",)
CATEGORIES: Final = ("S", "Z", "E", "AE", "O")
_PERCENT: Final = dated.percent("percent", "rate_ppm")
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z", re.ASCII)


def read(row: Row) -> Mapping[str, str] | None:
    """Return a row in one spelling, or None after its problems."""
    jurisdiction, category = row.text("jurisdiction"), row.text("category")
    if not _COUNTRY.match(jurisdiction):
        row.wrong("jurisdiction", jurisdiction, "a country of two capital letters (ISO 3166-1), such as CN")
    if category not in CATEGORIES:
        row.wrong("category", category, f"one of {', '.join(CATEGORIES)} (EN 16931)")
    percent = _PERCENT.read(row, "percent")
    starts = row.read("effective_from", strict.instant)
    ends = row.read_optional("effective_to", strict.instant)
    row.read("source", lambda text: strict.text(text, max_length=200))
    if percent not in {None, "0"} and category in CATEGORIES and category != "S":
        row.wrong("percent", row.text("percent"), f"0: {category} is not taxed")
    if starts is not None and ends is not None and ends <= starts:
        row.wrong("effective_to", row.text("effective_to"), f"a time after the start, {starts.isoformat()}")
    if row.problems or percent is None or starts is None:
        return None
    return {
        "jurisdiction": jurisdiction,
        "category": category,
        "percent": percent,
        "effective_from": starts.isoformat(),
        "effective_to": ends.isoformat() if ends else "",
        "source": row.text("source"),
    }


def problems(said: Mapping[str, str], now: datetime) -> list[FieldProblem]:
    """Return why a row does not fit to those that hold: it would change the past, or overlap."""
    starts, ends = _time(said["effective_from"]), _time(said["effective_to"]) if said["effective_to"] else None
    rows = _of(said)
    if starts < now and rows.exists():
        return [
            FieldProblem("/effective_from", mismatch(said["effective_from"], f"a time from now on, {now.isoformat()}"))
        ]
    followed = rows.filter(effective_to__isnull=True, effective_from__lt=starts)
    in_the_way = rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gt=starts)).exclude(id__in=followed)
    if ends is not None:
        in_the_way = in_the_way.filter(effective_from__lt=ends)
    other = in_the_way.order_by("effective_from").first()
    if other is None:
        return []
    until = other.effective_to.astimezone(UTC).isoformat() if other.effective_to else "further notice"
    since = other.effective_from.astimezone(UTC).isoformat()
    expected = f"a time in which no other rate holds; one does from {since} to {until}"
    return [_late(said, expected)]


def add(said: Mapping[str, str]) -> UUID:
    """Add the row, and end the one that it follows; the caller holds the lock of changes and has checked it."""
    starts = _time(said["effective_from"])
    _of(said).filter(effective_to__isnull=True, effective_from__lt=starts).update(effective_to=starts)
    row = TaxRate.objects.create(
        jurisdiction=said["jurisdiction"],
        category=said["category"],
        rate_ppm=_PERCENT.value(said["percent"], said),
        effective_from=starts,
        effective_to=_time(said["effective_to"]) if said["effective_to"] else None,
        source=said["source"],
    )
    return row.id


def spelled() -> list[dict[str, str]]:
    """Return every row as texts by column, those that begin last first."""
    return [
        {
            "jurisdiction": row.jurisdiction,
            "category": row.category,
            "percent": _PERCENT.spell(row.rate_ppm, row),
            "effective_from": row.effective_from.isoformat(),
            "effective_to": row.effective_to.isoformat() if row.effective_to else "",
            "source": row.source,
        }
        for row in TaxRate.objects.order_by("jurisdiction", "category", "-effective_from")
    ]


def _of(said: Mapping[str, str]) -> QuerySet[TaxRate]:
    return TaxRate.objects.filter(jurisdiction=said["jurisdiction"], category=said["category"])


def _late(said: Mapping[str, str], expected: str) -> FieldProblem:
    return FieldProblem("/effective_from", mismatch(said["effective_from"], expected))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
