"""Bounds by date, the lines billed to a party on a day, and the accounts that are parked."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.bounds.rules import SIDES, Limits
from billing.contracts.models import Contract


class BillBound(models.Model):
    """The safety bounds from an instant on, of an organisation or of all others. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="bill_bounds")
    currency = models.CharField(max_length=3)
    line_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    lines_per_day = models.PositiveIntegerField()
    usual_multiple = models.PositiveIntegerField()
    usual_from_minor = models.BigIntegerField()
    two_people_above_minor = models.BigIntegerField()
    trailing_days = models.PositiveIntegerField(default=90)  # what was billed in so many days makes the usual month
    effective_from = models.DateTimeField()
    set_by = models.CharField(max_length=200)  # as the audit trail names them

    class Meta:
        ordering = ("-effective_from", "-id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "currency", "effective_from"], nulls_distinct=False, name="bill_bound_once"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="bill_bound_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(
                    line_minor__gt=0,
                    total_minor__gt=0,
                    lines_per_day__gt=0,
                    usual_multiple__gt=0,
                    usual_from_minor__gte=0,
                    two_people_above_minor__gte=0,
                    trailing_days__gt=0,
                ),
                name="bill_bound_in_range",
            ),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST),
                name="bill_bound_time_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} from {self.effective_from:%Y-%m-%d}"

    @property
    def limits(self) -> Limits:
        """The bounds as plain values."""
        return Limits(
            line_minor=self.line_minor,
            total_minor=self.total_minor,
            lines_per_day=self.lines_per_day,
            usual_multiple=self.usual_multiple,
            usual_from_minor=self.usual_from_minor,
            two_people_above_minor=self.two_people_above_minor,
            trailing_days=self.trailing_days,
        )


class BilledDay(models.Model):
    """How many lines were billed to a party on a day of the books; its row is locked by whoever bills it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=16)
    day = models.DateField()
    lines = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "side", "day"], name="billed_day_once"),
            models.CheckConstraint(condition=Q(side__in=SIDES), name="billed_day_side_known"),
        ]

    def __str__(self) -> str:
        return f"{self.lines} on {self.day}"


class Parking(models.Model):
    """A party that is not billed until finance has looked at the bill that breached its bounds.

    `breaches` says what was seen and expected. Released, the bill of this contract may come to `total_minor` and
    `lines` again.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="parkings")
    side = models.CharField(max_length=16)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="parkings")
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    lines = models.PositiveIntegerField()
    breaches = models.JSONField()
    takes_two = models.BooleanField()
    parked_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, default="")  # why it may go on
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=["contract"], name="parking_of_contract")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "side"], condition=Q(released_at__isnull=True), name="parking_one_open"
            ),
            models.CheckConstraint(condition=Q(side__in=SIDES), name="parking_side_known"),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True, asked_at__isnull=True, reason="")
                | Q(asked_by__isnull=False, asked_at__gte=F("parked_at")) & ~Q(reason=""),
                name="parking_asked_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(released_by__isnull=True, released_at__isnull=True)
                | Q(released_by__isnull=False, asked_by__isnull=False, released_at__gte=F("asked_at")),
                name="parking_released_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(takes_two=False) | ~Q(released_by=F("asked_by")), name="parking_release_takes_two"
            ),
            models.CheckConstraint(
                condition=Q(parked_at__gte=strict.EARLIEST, parked_at__lt=strict.LATEST)
                & (Q(released_at__isnull=True) | Q(released_at__lt=strict.LATEST)),
                name="parking_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.side}"

    @property
    def is_open(self) -> bool:
        """Whether nothing is billed to the party because of it."""
        return self.released_at is None
