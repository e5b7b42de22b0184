"""Vouchers as rows of a CSV or as objects: each by itself, good ones are issued."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids, strict, tables
from accounts.foundation import row_results as results
from accounts.foundation.errors import DomainError
from accounts.foundation.row_results import RowResult
from accounts.foundation.tables import Row, Unreadable
from billing.pricing import services
from billing.pricing.errors import NoSuchBuyer, VoucherCodeTaken
from billing.pricing.rules import MAX_VOUCHER_MINOR
from billing.pricing.services import VoucherSpec
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, Money, format_minor, parse_minor

REQUIRED: Final = ("organisation", "code", "amount", "currency", "valid_to")
OPTIONAL: Final = ("valid_from", "meters", "resources")  # the last two with spaces between
MAX_ROWS: Final = 500
MAX_FILE_BYTES: Final = 512 * 1024
MAX_SCOPE: Final = 64  # meters or resources of one voucher


def issue_csv(actor: Actor, text: str, *, now: datetime) -> list[RowResult]:
    """Issue the vouchers of a CSV; see `issue_rows`."""
    try:
        rows = tables.read_csv(text, required=REQUIRED, optional=OPTIONAL, most=MAX_ROWS)
    except Unreadable as error:
        actor.require(Capability.OPERATE_BOOKS)
        return results.of_file(error)
    return issue_rows(actor, rows, now=now)


def issue_objects(actor: Actor, objects: Sequence[object], *, now: datetime) -> list[RowResult]:
    """Issue vouchers that came as JSON objects of texts; see `issue_rows`."""
    return issue_rows(actor, tables.of_objects(objects, required=REQUIRED, optional=OPTIONAL), now=now)


@transaction.atomic
def issue_rows(actor: Actor, rows: Sequence[Row], *, now: datetime) -> list[RowResult]:
    """Issue every voucher that can be, and say of each row what became of it: issued or refused."""
    actor.require(Capability.OPERATE_BOOKS)
    return [_issued(actor, row, now=now) for row in rows]


def _issued(actor: Actor, row: Row, *, now: datetime) -> RowResult:
    spec = None if row.problems else _spec(row, now)
    if spec is None or row.problems:
        return results.unreadable(row)
    try:
        with transaction.atomic():  # a refused row leaves the others alone
            voucher = services.issue_voucher(actor, spec, now=now)
    except NoSuchBuyer:
        row.wrong("organisation", row.text("organisation"), "a buyer")
        return results.unreadable(row)
    except VoucherCodeTaken:
        row.wrong("code", row.text("code"), "a code that no other voucher has")
        return results.unreadable(row)
    except DomainError as error:
        return results.refused(row, error)
    return RowResult(row.number, "issued", ids.spell("vch", voucher.id))


def _spec(row: Row, now: datetime) -> VoucherSpec | None:
    organisation_id = _organisation(row)
    code = row.read("code", lambda text: strict.text(text, max_length=40))
    value = _value(row)
    valid_to = row.read("valid_to", strict.instant)
    valid_from = row.read_optional("valid_from", strict.instant)
    scopes = {name: tuple(row.text(name).split()) for name in ("meters", "resources")}
    for name, scope in scopes.items():
        if len(scope) > MAX_SCOPE:
            row.wrong(name, f"{len(scope)} codes", f"{MAX_SCOPE} codes at most")
    if row.problems or organisation_id is None or code is None or value is None or valid_to is None:
        return None
    return VoucherSpec(organisation_id, code, value, valid_from or now, valid_to, scopes["meters"], scopes["resources"])


def _organisation(row: Row) -> UUID | None:
    try:
        return ids.parse("org", row.text("organisation"))
    except ids.MalformedId:
        row.wrong("organisation", row.text("organisation"), "an organisation id such as org_00000...")
        return None


def _value(row: Row) -> Money | None:
    currency, text = row.text("currency"), row.text("amount")
    if currency not in EXPONENTS:
        row.wrong("currency", currency, "a currency such as CNY")
        return None
    try:
        minor = parse_minor(text, currency)
    except MeasureError:
        minor = 0
    if not 0 < minor <= MAX_VOUCHER_MINOR:
        row.wrong("amount", text, f"a plain amount above zero, at most {format_minor(MAX_VOUCHER_MINOR, currency)}")
        return None
    return Money(minor, currency)
