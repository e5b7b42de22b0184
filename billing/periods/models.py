"""Closed months, and the requests to reopen them.

A trigger on ledger transactions refuses what takes effect in a closed month (migration `guard_periods`).
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from billing.periods.rules import PeriodStatus, ReopeningStatus


class AccountingPeriod(models.Model):
    """One billing month `[starts_at, ends_at)` that has been closed at least once."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    month = models.DateField(unique=True)  # its first day
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=8)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # What the books held when it was closed, for the audit to compare: how many transactions took effect by its end.
    transaction_count = models.BigIntegerField(default=0)
    checklist = models.JSONField(default=list)  # what was looked at, and what was found

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=list(PeriodStatus)), name="period_status_known"),
            models.CheckConstraint(condition=Q(month__day=1), name="period_month_is_a_first"),
            models.CheckConstraint(
                condition=Q(status=PeriodStatus.CLOSED, closed_at__isnull=False, closed_by__isnull=False)
                | Q(status=PeriodStatus.OPEN, closed_at__isnull=True, closed_by__isnull=True),
                name="period_closed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("ends_at")), name="period_closed_after_its_end"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at"))
                & (Q(closed_at__isnull=True) | Q(closed_at__lt=strict.LATEST)),
                name="period_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class PeriodReopening(models.Model):
    """A request to reopen a month, decided by another person."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    period = models.ForeignKey(AccountingPeriod, on_delete=models.PROTECT, related_name="reopenings")
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=12)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=list(ReopeningStatus)), name="reopening_status_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="reopening_has_its_reason"),
            models.CheckConstraint(condition=~Q(decided_by=F("requested_by")), name="reopening_takes_two_people"),
            models.CheckConstraint(
                condition=Q(status=ReopeningStatus.REQUESTED, decided_by__isnull=True, decided_at__isnull=True)
                | Q(~Q(status=ReopeningStatus.REQUESTED), decided_by__isnull=False, decided_at__isnull=False),
                name="reopening_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["period"], condition=Q(status=ReopeningStatus.REQUESTED), name="reopening_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(requested_at__gte=strict.EARLIEST, requested_at__lt=strict.LATEST)
                & (Q(decided_at__isnull=True) | Q(decided_at__lt=strict.LATEST)),
                name="reopening_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.status}"
