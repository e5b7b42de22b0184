"""Records of what was issued, as a CSV from the tax bureau's platform: each row by itself, good ones are kept."""

from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids, strict, tables
from accounts.foundation import row_results as results
from accounts.foundation.errors import DomainError
from accounts.foundation.row_results import RowResult
from accounts.foundation.tables import Row, Unreadable
from billing.fapiao import services
from billing.fapiao.models import Fapiao
from billing.fapiao.rules import CURRENCY, MAX_ROWS, Issued
from catalog.measures.errors import MeasureError
from catalog.measures.money import parse_minor

REQUIRED: Final = ("fapiao", "number", "issued_on", "total")
OPTIONAL: Final = ("file_url", "file_sha256")


@transaction.atomic
def record_rows(actor: Actor, text: str, *, now: datetime) -> list[RowResult]:
    """Record every row that can be, and say of each what became of it: recorded, known or refused."""
    actor.require(Capability.OPERATE_BOOKS)
    try:
        rows = tables.read_csv(text, required=REQUIRED, optional=OPTIONAL, most=MAX_ROWS)
    except Unreadable as error:
        return results.of_file(error)
    return [_recorded(actor, row, now=now) for row in rows]


def _recorded(actor: Actor, row: Row, *, now: datetime) -> RowResult:
    said = None if row.problems else _said(row)
    if said is None or row.problems:
        return results.unreadable(row)
    try:
        fapiao_id = ids.parse("fap", row.text("fapiao"))
        was_known = Fapiao.objects.filter(id=fapiao_id, number=said.number).exists()
        with transaction.atomic():  # a refused row leaves the others alone
            services.record(actor, fapiao_id, said, now=now)
    except DomainError as error:
        return results.refused(row, error)
    return RowResult(row.number, "known" if was_known else "recorded", row.text("fapiao"))


def _said(row: Row) -> Issued | None:
    total_minor = _amount(row)
    issued_on = row.read("issued_on", strict.calendar_date)
    if total_minor is None or issued_on is None:
        return None
    # The service says what is wrong with the rest, as it does to everybody.
    return Issued(row.text("number"), issued_on, total_minor, row.text("file_url"), row.text("file_sha256"))


def _amount(row: Row) -> int | None:
    text = row.text("total")
    try:
        return parse_minor(text.removeprefix("-"), CURRENCY) * (-1 if text.startswith("-") else 1)
    except MeasureError:
        row.wrong("total", text, "a plain amount of CNY with tax, such as 12.50, below zero on a red letter")
        return None
