"""Reads of closed months."""

from datetime import date, datetime

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.foundation import strict
from billing.periods.errors import NoSuchPeriod
from billing.periods.models import AccountingPeriod, PeriodReopening
from billing.periods.rules import PeriodStatus, ReopeningStatus, spelled


def month_named(text: str) -> date:
    """Return the month that an address names, such as 2026-05; raises NoSuchPeriod for one that cannot be."""
    try:
        month = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 (a date)
    except ValueError as error:
        raise NoSuchPeriod from error
    if text != spelled(month) or not strict.EARLIEST.date() <= month < strict.LATEST.date():
        raise NoSuchPeriod
    return month


def visible_periods(actor: Actor) -> QuerySet[AccountingPeriod]:
    """Return the months that have been closed, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return AccountingPeriod.objects.select_related("closed_by")


def visible_reopenings(actor: Actor) -> QuerySet[PeriodReopening]:
    """Return the requests to reopen months, for those who read the books."""
    actor.require(Capability.VIEW_BOOKS)
    return PeriodReopening.objects.select_related("period", "requested_by", "decided_by")


def waiting_reopening(month: date) -> PeriodReopening | None:
    """Return the request that waits to be decided."""
    waiting = PeriodReopening.objects.filter(period__month=month, status=ReopeningStatus.REQUESTED)
    return waiting.select_related("requested_by").first()


def is_closed(month: date) -> bool:
    """Tell whether a month is closed."""
    return AccountingPeriod.objects.filter(month=month, status=PeriodStatus.CLOSED).exists()


def last_closed() -> AccountingPeriod | None:
    """Return the latest month that is closed."""
    return AccountingPeriod.objects.filter(status=PeriodStatus.CLOSED).order_by("-month").first()


def effective(instant: datetime) -> datetime:
    """Return when something that became due at an instant takes effect: then, or as its closed month has ended.

    What is late for a month that is closed counts in the first one that is open.
    """
    ends = (
        AccountingPeriod.objects.filter(status=PeriodStatus.CLOSED, ends_at__gt=instant)
        .order_by("-ends_at")
        .values_list("ends_at", flat=True)
        .first()
    )
    return instant if ends is None else ends
