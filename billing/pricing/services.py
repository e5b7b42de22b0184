"""The verbs of pricing: a new row follows the open-ended one before it; vouchers are issued, used and closed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.errors import FieldProblem, mismatch
from accounts.organisations.models import Organisation
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.pricing.errors import (
    NoSuchBuyer,
    NotInForceBefore,
    PricingRefused,
    VoucherAlreadyOver,
    VoucherCodeTaken,
)
from billing.pricing.models import Coefficient, CustomerClass, PriceAdjustment, Voucher, VoucherUse
from billing.pricing.rules import MAX_FACTOR_PPM
from catalog.measures.money import Money, format_minor
from catalog.measures.tariffs import PRECISIONS
from catalog.measures.units import all_units
from catalog.offerings import queries as offerings
from catalog.taxonomy.models import ResourceType


@transaction.atomic
def classify(
    actor: Actor, buyer_id: UUID, code: str, *, effective_from: datetime | None, now: datetime
) -> CustomerClass:
    """Count a buyer in a class of the actor's organisation from an instant on; an empty code ends it.

    Raises NotAllowed, NoSuchBuyer, NotInForceBefore, PricingRefused.
    """
    actor.require(Capability.LIST)
    provider_id = actor.organisation()
    buyer = Organisation.objects.filter(id=buyer_id, can_buy=True).exclude(id=provider_id).first()
    if buyer is None:
        raise NoSuchBuyer
    # The provider's row is the lock: one row follows the other.
    Organisation.objects.select_for_update(no_key=True).get(id=provider_id)
    starts = _start(effective_from, now)
    rows = CustomerClass.objects.filter(provider_id=provider_id, buyer=buyer)
    _follow(rows, starts)
    row = CustomerClass.objects.create(
        provider_id=provider_id, buyer=buyer, code=code, effective_from=starts, created_at=now
    )
    after = {"buyer": ids.spell("org", buyer.id), "class": code, "effective_from": starts.isoformat()}
    audit.record(actor, "customer_class.set", "customer_class", row.id, None, after, now=now)
    return row


@transaction.atomic
def adjust(
    actor: Actor,
    offering_id: UUID,
    *,
    factor_ppm: int,
    meter: str = "",
    customer_class: str = "",
    qos: str = "",
    effective_from: datetime | None,
    now: datetime,
) -> PriceAdjustment:
    """Charge a part (or a multiple) of an offering's rate card from an instant on; a million ppm ends it.

    Contracts made from then on take it over. Raises NotAllowed, OfferingNotFound, NotInForceBefore, PricingRefused.
    """
    actor.require(Capability.LIST)
    problems = [*_factor_problems("/factor_ppm", factor_ppm, minimum=0), *_meter_problems("/meter", [meter])]
    if problems:
        raise PricingRefused("The adjustment is not well formed.", problems)
    offering = offerings.locked_for_change(actor, offering_id)
    starts = _start(effective_from, now)
    scope = {"offering": offering, "meter": meter, "customer_class": customer_class, "qos": qos}
    _follow(PriceAdjustment.objects.filter(**scope), starts)
    row = PriceAdjustment.objects.create(**scope, factor_ppm=factor_ppm, effective_from=starts, created_at=now)
    after = {
        "offering": ids.spell("ofr", offering.id),
        "meter": meter,
        "class": customer_class,
        "qos": qos,
        "factor_ppm": factor_ppm,
        "effective_from": starts.isoformat(),
    }
    audit.record(actor, "price_adjustment.set", "price_adjustment", row.id, None, after, now=now)
    return row


@transaction.atomic
def weigh(
    actor: Actor,
    precision: str,
    *,
    coefficient_ppm: int,
    source: str,
    effective_from: datetime | None,
    now: datetime,
) -> Coefficient:
    """Let performance of a precision count by a coefficient from an instant on.

    Contracts made from then on take it over. Raises NotAllowed, NotInForceBefore, PricingRefused.
    """
    actor.require(Capability.OPERATE_BOOKS)
    problems = _factor_problems("/coefficient_ppm", coefficient_ppm, minimum=1)
    if precision not in PRECISIONS:
        problems = [*problems, FieldProblem("/precision", mismatch(precision, f"one of {', '.join(PRECISIONS)}"))]
    if problems:
        raise PricingRefused("The coefficient is not well formed.", problems)
    starts = _start(effective_from, now)
    rows = Coefficient.objects.select_for_update(no_key=True).filter(precision=precision)
    versions = [row.version for row in rows.order_by("id")]
    _follow(rows, starts)
    row = Coefficient.objects.create(
        precision=precision,
        version=max(versions, default=0) + 1,
        coefficient_ppm=coefficient_ppm,
        source=source,
        effective_from=starts,
        created_at=now,
    )
    after = {"precision": precision, "coefficient_ppm": coefficient_ppm, "effective_from": starts.isoformat()}
    audit.record(actor, "coefficient.set", "coefficient", row.id, None, after, now=now)
    return row


@dataclass(frozen=True, slots=True)
class VoucherSpec:
    """A voucher to be issued; empty scopes stand for everything."""

    organisation_id: UUID
    code: str
    value: Money
    valid_from: datetime
    valid_to: datetime
    meters: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@transaction.atomic
def issue_voucher(actor: Actor, spec: VoucherSpec, *, now: datetime) -> Voucher:
    """Give a buyer a voucher: its worth is an expense of the exchange now, and owed until it is used or ends.

    Raises NotAllowed, NoSuchBuyer, PricingRefused, VoucherAlreadyOver, VoucherCodeTaken.
    """
    actor.require(Capability.OPERATE_BOOKS)
    _check_voucher(spec, now)
    if Voucher.objects.filter(code=spec.code).exists():
        raise VoucherCodeTaken(spec.code)
    voucher = Voucher(
        organisation_id=spec.organisation_id,
        code=spec.code,
        currency=spec.value.currency,
        value_minor=spec.value.amount_minor,
        meters=list(spec.meters),
        resources=list(spec.resources),
        valid_from=spec.valid_from,
        valid_to=spec.valid_to,
        issued_at=now,
    )
    try:
        with transaction.atomic():
            voucher.save(force_insert=True)
    except IntegrityError as error:  # the same code at the same moment
        raise VoucherCodeTaken(spec.code) from error
    ledger.post(
        Source("voucher", voucher.id, "issue"),
        [debit(Code.PROMOTION, voucher.value_minor), credit(Code.VOUCHERS, voucher.value_minor)],
        currency=voucher.currency,
        effective_at=now,
        now=now,
        memo=f"voucher {voucher.code}",
    )
    _record_voucher(actor, voucher, "voucher.issued", now=now)
    return voucher


def usable_vouchers(organisation_ids: Collection[UUID], *, at: datetime) -> list[Voucher]:
    """Return the vouchers that bills of organisations may use at an instant, locked in the order of their ids."""
    rows = Voucher.objects.select_for_update(no_key=True).filter(
        organisation_id__in=organisation_ids,
        closed_at=None,
        valid_from__lte=at,
        valid_to__gt=at,
        used_minor__lt=F("value_minor"),
    )
    return list(rows.order_by("id"))


def use_vouchers(uses: Iterable[tuple[UUID, int]], source: Source, *, now: datetime) -> None:
    """Note what a document took of vouchers (id, amount), whose rows the caller has locked; once per document."""
    rows = [
        VoucherUse(
            voucher_id=voucher_id, source_type=source.type, source_id=source.id, amount_minor=amount_minor, used_at=now
        )
        for voucher_id, amount_minor in uses
    ]
    VoucherUse.objects.bulk_create(rows)
    for row in rows:
        Voucher.objects.filter(id=row.voucher_id).update(used_minor=F("used_minor") + row.amount_minor)


def give_back_vouchers(amounts_minor: Mapping[str, int], source: Source, *, now: datetime) -> int:
    """Note as uses below zero what a credit note gives back to vouchers, by code; once per note.

    Returns how much of it went to vouchers that were closed: the caller takes that back in its posting.
    """
    vouchers = Voucher.objects.select_for_update(no_key=True).filter(code__in=amounts_minor)
    lapsed_minor = 0
    for voucher in vouchers.order_by("id"):
        amount_minor = amounts_minor[voucher.code]
        use_vouchers([(voucher.id, -amount_minor)], source, now=now)
        lapsed_minor += amount_minor if voucher.closed_at is not None else 0
    return lapsed_minor


@transaction.atomic
def close_expired(actor: Actor, *, now: datetime, at_most: int = 500) -> int:
    """Take back what is left of vouchers that have ended; return how many. Safe to run twice at once."""
    due = Voucher.objects.select_for_update(no_key=True, skip_locked=True).filter(closed_at=None, valid_to__lte=now)
    closed = list(due.order_by("id")[:at_most])
    for voucher in closed:
        left_minor = voucher.value_minor - voucher.used_minor
        voucher.closed_at = now
        voucher.save(update_fields=["closed_at"])
        if left_minor:
            ledger.post(
                Source("voucher", voucher.id, "expire"),
                [debit(Code.VOUCHERS, left_minor), credit(Code.PROMOTION, left_minor)],
                currency=voucher.currency,
                effective_at=now,
                now=now,
                memo=f"voucher {voucher.code}",
            )
        _record_voucher(actor, voucher, "voucher.closed", now=now)
    return len(closed)


def _check_voucher(spec: VoucherSpec, now: datetime) -> None:
    if not Organisation.objects.filter(id=spec.organisation_id, can_buy=True).exists():
        raise NoSuchBuyer
    problems = _meter_problems("/meters", spec.meters)
    known = set(ResourceType.objects.filter(code__in=spec.resources).values_list("code", flat=True))
    problems += [
        FieldProblem(f"/resources/{index}", mismatch(code, "the code of a resource type"))
        for index, code in enumerate(spec.resources)
        if code not in known
    ]
    if spec.valid_from >= spec.valid_to:
        expected = f"a time after the start, {spec.valid_from.isoformat()}"
        problems.append(FieldProblem("/valid_to", mismatch(spec.valid_to.isoformat(), expected)))
    if problems:
        raise PricingRefused("The voucher is not well formed.", problems)
    if spec.valid_to <= now:
        raise VoucherAlreadyOver(spec.valid_to.isoformat(), now.isoformat())


def _start(effective_from: datetime | None, now: datetime) -> datetime:
    if effective_from is not None and effective_from < now:
        expected = f"a time from now on, {now.isoformat()}"
        problem = FieldProblem("/effective_from", mismatch(effective_from.isoformat(), expected))
        raise PricingRefused("What has been agreed keeps its prices.", [problem])
    return effective_from or now


def _follow(rows: QuerySet[Any], starts: datetime) -> None:
    """End the open-ended row before; refuse where another one holds at or after the start. Rows are locked above."""
    before = rows.order_by("-effective_from").first()
    if before is None or (before.effective_to is not None and before.effective_to <= starts):
        return
    if before.effective_to is not None or before.effective_from >= starts:
        raise NotInForceBefore(starts.isoformat())
    before.effective_to = starts
    before.save(update_fields=["effective_to"])


def _factor_problems(pointer: str, factor_ppm: int, *, minimum: int) -> list[FieldProblem]:
    if minimum <= factor_ppm <= MAX_FACTOR_PPM:
        return []
    expected = f"a whole number from {minimum} to {MAX_FACTOR_PPM}, in millionths"
    return [FieldProblem(pointer, mismatch(factor_ppm, expected))]


def _meter_problems(pointer: str, meters: Sequence[str]) -> list[FieldProblem]:
    metered = [code for code, unit in all_units().items() if unit.metered]
    several = pointer.endswith("s")
    return [
        FieldProblem(f"{pointer}/{index}" if several else pointer, mismatch(meter, f"one of {', '.join(metered)}"))
        for index, meter in enumerate(meters)
        if meter and meter not in metered
    ]


def _record_voucher(actor: Actor, voucher: Voucher, event: str, *, now: datetime) -> None:
    told = {
        "code": voucher.code,
        "value": format_minor(voucher.value_minor, voucher.currency),
        "used": format_minor(voucher.used_minor, voucher.currency),
        "currency": voucher.currency,
        "valid_to": voucher.valid_to.isoformat(),
    }
    audit.record(actor, event, "voucher", voucher.id, None, told, now=now, organisation_id=voucher.organisation_id)
    events.emit(event, "voucher", voucher.id, voucher.organisation_id, told, now=now)
