"""The verbs of a month: closed after its checks, reopened by two people.

Whether a month may be closed is decided by `reconciliation.closing`; here it is locked and marked.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from billing.ledger.models import LedgerTransaction
from billing.periods import queries
from billing.periods.errors import (
    LaterPeriodClosed,
    NoSuchPeriod,
    NoSuchReopening,
    OwnReopening,
    PeriodNotClosed,
    PersonNeeded,
    ReopeningDecided,
)
from billing.periods.models import AccountingPeriod, PeriodReopening
from billing.periods.rules import PeriodStatus, ReopeningStatus, next_month, spelled, start_of

# The key of the lock that every posting shares and a close takes alone; migration `guard_periods` has it too.
_POSTING_LOCK = 7_301_913


def stop_postings() -> None:
    """Wait for the postings under way and let no new one begin until this transaction ends.

    Taken before anything else is locked: a posting may hold an account while it waits for this.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_POSTING_LOCK])


def mark_closed(actor: Actor, month: date, checklist: Sequence[dict[str, Any]], *, now: datetime) -> AccountingPeriod:
    """Close a month whose checks have passed; postings are stopped, and it is not closed yet."""
    actor.require(Capability.APPROVE_BOOKS)
    if actor.user_id is None:
        raise PersonNeeded
    ends_at = start_of(next_month(month))
    period, _ = AccountingPeriod.objects.select_for_update(no_key=True).get_or_create(
        month=month, defaults={"starts_at": start_of(month), "ends_at": ends_at, "status": PeriodStatus.OPEN}
    )
    period.status = PeriodStatus.CLOSED
    period.closed_at = now
    period.closed_by_id = actor.user_id
    period.transaction_count = LedgerTransaction.objects.filter(effective_at__lt=ends_at).count()
    period.checklist = list(checklist)
    period.save(update_fields=["status", "closed_at", "closed_by", "transaction_count", "checklist"])
    _tell(actor, period, "close", {"status": "open"}, {"transactions": period.transaction_count}, now=now)
    return period


@transaction.atomic
def request_reopening(actor: Actor, month: date, reason: str, *, now: datetime) -> PeriodReopening:
    """Ask to reopen a closed month; raises NoSuchPeriod, PeriodNotClosed, LaterPeriodClosed, ReopeningDecided."""
    actor.require(Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    if actor.user_id is None:
        raise PersonNeeded
    period = AccountingPeriod.objects.select_for_update(no_key=True).filter(month=month).first()
    if period is None:
        raise NoSuchPeriod
    _check_may_open(period)
    if queries.waiting_reopening(month) is not None:
        raise ReopeningDecided(ReopeningStatus.REQUESTED)
    reopening = PeriodReopening.objects.create(
        period=period,
        reason=reason,
        status=ReopeningStatus.REQUESTED,
        requested_by_id=actor.user_id,
        requested_at=now,
    )
    _tell(actor, period, "ask_reopening", None, {"reason": reason}, now=now)
    return reopening


@transaction.atomic
def decide_reopening(actor: Actor, reopening_id: UUID, *, approve: bool, now: datetime) -> PeriodReopening:
    """Approve or decline a colleague's request; approved, the month is open at once.

    Raises NoSuchReopening, OwnReopening, ReopeningDecided, LaterPeriodClosed.
    """
    actor.require(Capability.APPROVE_BOOKS)
    if actor.user_id is None:
        raise PersonNeeded
    period_id = PeriodReopening.objects.filter(id=reopening_id).values_list("period_id", flat=True).first()
    if period_id is None:
        raise NoSuchReopening
    period = AccountingPeriod.objects.select_for_update(no_key=True).get(id=period_id)
    reopening = PeriodReopening.objects.get(id=reopening_id)
    if reopening.status != ReopeningStatus.REQUESTED:
        raise ReopeningDecided(reopening.status)
    if reopening.requested_by_id == actor.user_id:
        raise OwnReopening
    reopening.status = ReopeningStatus.APPROVED if approve else ReopeningStatus.DECLINED
    reopening.decided_by_id = actor.user_id
    reopening.decided_at = now
    reopening.save(update_fields=["status", "decided_by", "decided_at"])
    if approve:
        _check_may_open(period)
        period.status = PeriodStatus.OPEN
        period.closed_at = period.closed_by_id = None
        period.save(update_fields=["status", "closed_at", "closed_by"])
    _tell(actor, period, "reopen" if approve else "decline_reopening", {"status": "closed"}, {}, now=now)
    return reopening


def _check_may_open(period: AccountingPeriod) -> None:
    if period.status != PeriodStatus.CLOSED:
        raise PeriodNotClosed(spelled(period.month))
    later = (
        AccountingPeriod.objects.filter(status=PeriodStatus.CLOSED, month__gt=period.month).order_by("-month").first()
    )
    if later is not None:
        raise LaterPeriodClosed(spelled(period.month), spelled(later.month))


def _tell(
    actor: Actor,
    period: AccountingPeriod,
    verb: str,
    before: dict[str, Any] | None,
    more: dict[str, Any],
    *,
    now: datetime,
) -> None:
    after = {"month": spelled(period.month), "status": str(period.status)} | more
    audit.record(actor, f"period.{verb}", "period", period.id, before, after, now=now)
    events.emit(f"period.{verb}", "period", period.id, None, after, now=now)
