"""A lease, and what was delivered of it."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids
from accounts.foundation.strict import EARLIEST, LATEST
from accounts.organisations.models import Organisation, TimeRange
from billing.contracts.models import Contract
from billing.usage.models import MeteringPoint
from catalog.offerings.models import Offering
from exchange.leases.rules import BEFORE_HAND_OVER, OVER, EndReason, LeaseStatus
from exchange.rounds.models import Round


class Lease(models.Model):
    """`quantity` units of one offering, handed over for `[starts_at, ends_at)` under one contract."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    # None where a quote sold it.
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="leases", null=True, blank=True)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="leases")
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="leases")
    # Their own indexes would be the beginnings of `lease_of_buyer` and `lease_of_provider`.
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="leases_bought", db_index=False)
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="leases_sold", db_index=False)
    metering_point = models.OneToOneField(MeteringPoint, on_delete=models.PROTECT, related_name="lease")
    quantity = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in LeaseStatus])
    end_reason = models.CharField(max_length=32, blank=True, default="")
    # How to get in: encrypted, shown to the buyer while the lease runs.
    access_sealed = models.BinaryField(null=True)
    acknowledge_by = models.DateTimeField()
    scheduled_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    last_heartbeat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Reports are closed and the delivered segments are written.
    closed_at = models.DateTimeField(null=True)
    # The alarm for a missing acknowledgement or hand-over is raised once each.
    acknowledgement_alarm_at = models.DateTimeField(null=True)
    activation_alarm_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="lease_one_at_a_time",
                expressions=[
                    (F("contract"), RangeOperators.EQUAL),
                    (F("offering"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=~Q(status=LeaseStatus.REPLACED),
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in LeaseStatus]), name="lease_status_is_known"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="lease_quantity_positive"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"), starts_at__gte=EARLIEST, ends_at__lt=LATEST),
                name="lease_window_in_order",
            ),
            models.CheckConstraint(condition=~Q(buyer=F("provider")), name="lease_has_two_parties"),
            models.CheckConstraint(
                condition=Q(status__in=OVER, ended_at__isnull=False, end_reason__in=[r.value for r in EndReason])
                | (~Q(status__in=OVER) & Q(ended_at__isnull=True, end_reason="")),
                name="lease_over_says_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*BEFORE_HAND_OVER, *OVER])
                | Q(activated_at__isnull=False, access_sealed__isnull=False),
                name="lease_runs_with_access",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(ended_at__isnull=False), name="lease_closed_when_over"
            ),
            models.CheckConstraint(
                condition=Q(scheduled_at__gte=EARLIEST, scheduled_at__lt=LATEST), name="lease_scheduled_in_range"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["buyer", "-id"], name="lease_of_buyer"),
            models.Index(fields=["provider", "-id"], name="lease_of_provider"),
            models.Index(fields=["ends_at"], condition=Q(closed_at__isnull=True), name="lease_not_closed"),
        ]

    def __str__(self) -> str:
        return ids.spell("lse", self.id)


class DeliveredSegment(models.Model):
    """What was there for a stretch of a lease, as it stood when reports were closed. Append-only.

    The buyer may dispute it until `dispute_deadline`; the provider's payout waits for that.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    lease = models.ForeignKey(Lease, on_delete=models.PROTECT, related_name="delivered_segments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField()
    dispute_deadline = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="delivered_segment_one_at_a_time",
                expressions=[
                    (F("lease"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"), dispute_deadline__gt=F("ends_at")),
                name="delivered_segment_times_in_order",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=EARLIEST, dispute_deadline__lt=LATEST),
                name="delivered_segment_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.starts_at.isoformat()}"
