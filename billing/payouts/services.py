"""A provider's money becomes payable once its dispute window is over, less a reserve that follows later."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.failures import Failures
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import LedgerTransaction
from billing.ledger.rules import Line, Source, credit, debit
from billing.payouts import accruals, holds, queries, rules
from billing.payouts.models import StatementRelease
from billing.payouts.rules import ItemPart
from billing.periods import queries as periods
from catalog.measures.money import format_minor

BATCH: Final = 500  # releases of one call; the next call takes the rest

_RELEASER: Final = Actor.system("payouts")


def schedule_release(
    statement_id: UUID, organisation_id: UUID, *, amount_minor: int, currency: str, due_at: datetime, now: datetime
) -> StatementRelease:
    """Note in the statement's own transaction when its amount stops being pending.

    The statement has posted `amount_minor` to the provider's pending payable (negative when the provider owes).
    """
    return StatementRelease.objects.create(
        statement_id=statement_id,
        organisation_id=organisation_id,
        amount_minor=amount_minor,
        currency=currency,
        created_at=now,
        due_at=due_at,
    )


def release_due(*, now: datetime, limit: int = BATCH) -> int:
    """Make every amount available whose dispute window or reserve is over; returns how many.

    One short transaction each: a death in between leaves the rest for the next call. Two at once share the work.
    A release that fails keeps no other waiting; what failed is raised after the last of them.
    """
    due = StatementRelease.objects.filter(released_at__isnull=True, due_at__lte=now).order_by("due_at", "id")
    kept = StatementRelease.objects.filter(
        reserve_minor__gt=0, reserve_released_at__isnull=True, reserve_due_at__lte=now
    ).order_by("reserve_due_at", "id")
    failures = Failures()
    released = 0
    for release_id in due.values_list("id", flat=True)[:limit]:
        with failures.kept(f"releasing {release_id}"):
            released += _release(release_id, now=now)
    for release_id in kept.values_list("id", flat=True)[: limit - released]:
        with failures.kept(f"releasing the reserve of {release_id}"):
            released += _release_reserve(release_id, now=now)
    failures.raise_any()
    return released


@transaction.atomic
def _release(release_id: UUID, *, now: datetime) -> bool:
    release = _claimed(release_id, released_at__isnull=True)
    if release is None:
        return False
    policy = queries.policy(release.organisation_id, release.currency, now=now)
    payout = accruals.open_payout(release.organisation_id, release.currency, now=now)
    reserve_minor = rules.reserve_of(release.amount_minor, policy.reserve_ppm)
    free_minor = release.amount_minor - reserve_minor
    provider_id = release.organisation_id
    release.transaction = _post(
        release,
        "release",
        [
            debit(Code.PAYABLE_PENDING, release.amount_minor, provider_id),
            credit(Code.PAYABLE_AVAILABLE, free_minor, provider_id),
            credit(Code.PROVIDER_RESERVE, reserve_minor, provider_id),
        ],
        due_at=release.due_at,
        memo="Dispute window over",
        now=now,
    )
    release.released_at = now
    release.reserve_minor = reserve_minor
    release.reserve_due_at = now + timedelta(days=policy.reserve_days) if reserve_minor else None
    release.save(update_fields=["transaction", "released_at", "reserve_minor", "reserve_due_at"])
    if free_minor:
        accruals.add(payout, release, ItemPart.RELEASE, free_minor)
    holds.take_from(release, now=now)
    _tell(release, "release", release.amount_minor, {"reserve": format_minor(reserve_minor, release.currency)}, now=now)
    return True


@transaction.atomic
def _release_reserve(release_id: UUID, *, now: datetime) -> bool:
    release = _claimed(release_id, reserve_released_at__isnull=True)
    if release is None:
        return False
    assert release.reserve_due_at is not None
    provider_id = release.organisation_id
    payout = accruals.open_payout(provider_id, release.currency, now=now)
    release.reserve_transaction = _post(
        release,
        "release_reserve",
        [
            debit(Code.PROVIDER_RESERVE, release.reserve_minor, provider_id),
            credit(Code.PAYABLE_AVAILABLE, release.reserve_minor, provider_id),
        ],
        due_at=release.reserve_due_at,
        memo="Reserve set free",
        now=now,
    )
    release.reserve_released_at = now
    release.save(update_fields=["reserve_transaction", "reserve_released_at"])
    accruals.add(payout, release, ItemPart.RESERVE, release.reserve_minor)
    _tell(release, "release_reserve", release.reserve_minor, {}, now=now)
    return True


def _claimed(release_id: UUID, **still: bool) -> StatementRelease | None:
    # Skipped when another worker has it, gone when another has just done it.
    rows = StatementRelease.objects.select_for_update(skip_locked=True, no_key=True)
    return rows.filter(id=release_id, **still).first()


def _post(
    release: StatementRelease, purpose: str, lines: list[Line], *, due_at: datetime, memo: str, now: datetime
) -> LedgerTransaction:
    return ledger.post(
        Source("statement", release.statement_id, purpose),
        lines,
        currency=release.currency,
        # What is late for a closed month counts in the first one that is open.
        effective_at=periods.effective(due_at),
        now=now,
        memo=memo,
    )


def _tell(release: StatementRelease, verb: str, amount_minor: int, more: dict[str, str], *, now: datetime) -> None:
    told = {
        "statement": ids.spell("stm", release.statement_id),
        "amount": format_minor(amount_minor, release.currency),
        "currency": release.currency,
    } | more
    audit.record(
        _RELEASER,
        f"statement.{verb}",
        "statement",
        release.statement_id,
        {"payable": "pending" if verb == "release" else "reserve"},
        told | {"payable": "available"},
        now=now,
        organisation_id=release.organisation_id,
    )
    event = "statement.released" if verb == "release" else "statement.reserve_released"
    events.emit(event, "statement", release.statement_id, release.organisation_id, told, now=now)
