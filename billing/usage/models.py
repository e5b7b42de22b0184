"""Metering points, the usage events accepted for them, and what was declined.

Usage events are kept for ever in a table partitioned by hash (see migration `usage_partitions`): the primary
key is what makes a report count once, however often and whenever it is sent.
"""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation, TimeRange
from accounts.projects.models import Project
from billing.contracts.models import Contract
from billing.usage.rules import MAX_TEXT
from catalog.offerings.models import Offering


class MeteringPoint(models.Model):
    """Where a lease is measured, with the lease's bounds as they were when it was scheduled.

    Usage is checked against this row, for billing knows nothing of leases. `closed_at` ends reporting; what was not
    reported by then counts as not delivered.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="metering_points")
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="metering_points")
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="metering_points")
    reference_id = models.UUIDField(unique=True)  # the lease
    quantity = models.PositiveIntegerField()  # units contracted
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="metering_point_one_at_a_time",
                expressions=[
                    (F("contract"), RangeOperators.EQUAL),
                    (F("offering"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="metering_point_quantity_above_zero"),
            models.CheckConstraint(
                condition=Q(starts_at__gte=strict.EARLIEST, ends_at__lt=strict.LATEST, starts_at__lt=F("ends_at"))
                & Q(opened_at__gte=strict.EARLIEST, opened_at__lt=strict.LATEST)
                & (Q(closed_at__isnull=True) | Q(closed_at__lt=strict.LATEST)),
                name="metering_point_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return ids.spell("lse", self.reference_id)


class UsageEvent(models.Model):
    """One accepted CloudEvent. Append-only; corrections are events that reverse it.

    `quantity` is in units of capacity for a segment, in the meter's unit (or its level) for a reading, and
    None for a reversal, which alone has `reverses_source` and `reverses_event_id`. `payload` is the canonical text
    (RFC 8785) that `payload_hash` is the SHA-256 of.
    """

    pk = models.CompositePrimaryKey("organisation_id", "source", "event_id")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="usage_events")
    source = models.CharField(max_length=MAX_TEXT)
    event_id = models.CharField(max_length=MAX_TEXT)
    id = models.UUIDField(default=ids.new_id, editable=False)
    kind = models.CharField(max_length=16)
    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="usage_events")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="usage_events")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="usage_events")
    meter = models.CharField(max_length=32, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.DecimalField(max_digits=24, decimal_places=9, null=True)
    reverses_source = models.CharField(max_length=MAX_TEXT, blank=True)
    reverses_event_id = models.CharField(max_length=MAX_TEXT, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    payload = models.TextField()
    payload_hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class UnratedUsage(models.Model):
    """Which events of a contract came in one statement and may have no charge yet: those from one id to another.

    A trigger writes it with the events, so that none is ever forgotten, in whatever order batches are committed; rating
    takes it off once they all have charges. It says nothing that the events and charges do not say, only where to look.
    """

    id = models.BigAutoField(primary_key=True)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="unrated_usage")
    first_id = models.UUIDField()  # UsageEvent.id
    last_id = models.UUIDField()
    events = models.PositiveIntegerField()  # how many there were

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(first_id__lte=F("last_id"), events__gt=0), name="unrated_usage_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} to {self.last_id}"


class AllocationSegment(models.Model):
    """An accepted segment, without its reversals: for each instant of a metering point there is at most one.

    A projection of the events, kept by the same transaction, whose constraint refuses overlaps.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)  # of the usage event
    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="segments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    reversed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("metering_point", "starts_at")
        constraints: ClassVar = [
            ExclusionConstraint(
                name="allocation_segment_one_at_a_time",
                expressions=[
                    (F("metering_point"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(reversed_at__isnull=True),
            ),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="allocation_segment_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.starts_at}"


class UsageReversal(models.Model):
    """Which event reversed which; the primary key lets each be reversed once. Append-only."""

    reversed_id = models.UUIDField(primary_key=True)  # UsageEvent.id of the one that no longer counts
    event_id = models.UUIDField(unique=True)  # UsageEvent.id of the correction

    def __str__(self) -> str:
        return str(self.reversed_id)


class UsageConflict(models.Model):
    """An event that came again under the same id with another payload; the first one stands. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="usage_conflicts")
    source = models.CharField(max_length=MAX_TEXT)
    event_id = models.CharField(max_length=MAX_TEXT)
    payload = models.TextField()
    payload_hash = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "source", "event_id", "payload_hash"], name="usage_conflict_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class UsageRejection(models.Model):
    """An item that was declined, kept once per reason: finance sees what a provider tried to report. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="usage_rejections")
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=500)
    pointer = models.CharField(max_length=200)  # JSON Pointer into the item
    payload = models.TextField()  # canonical, cut to what a person needs
    payload_hash = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["received_at"], name="usage_rejection_by_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "payload_hash", "code"], name="usage_rejection_once"),
        ]

    def __str__(self) -> str:
        return self.code
