"""What changes a price: rows with the time in which they hold. Of one kind and scope at most one holds at a time."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation, TimeRange
from billing.pricing.rules import MAX_FACTOR_PPM
from catalog.measures.tariffs import PRECISIONS
from catalog.offerings.models import Offering
from catalog.offerings.rules import Quality

_DATED = Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST) & (
    Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from"), effective_to__lt=strict.LATEST)
)


def _one_at_a_time(name: str, *fields: str) -> ExclusionConstraint:
    time = TimeRange("effective_from", "effective_to", RangeBoundary())
    return ExclusionConstraint(
        name=name,
        expressions=[
            *((F(field), RangeOperators.EQUAL) for field in fields),
            (time, RangeOperators.OVERLAPS),
        ],
    )


class CustomerClass(models.Model):
    """The class that a provider counts a buyer in, such as partner; an empty code is none."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="classes_given")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="classes_held")
    code = models.CharField(max_length=32, blank=True)
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)  # excluded; none while it holds
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints: ClassVar = [
            _one_at_a_time("customer_class_one_at_a_time", "provider", "buyer"),
            models.CheckConstraint(condition=_DATED, name="customer_class_times_in_range"),
            models.CheckConstraint(condition=~Q(provider=F("buyer")), name="customer_class_of_another"),
        ]

    def __str__(self) -> str:
        return self.code or "no class"


class PriceAdjustment(models.Model):
    """What a customer class or a quality of service pays of an offering's rate card: 600,000 ppm is 60 %.

    An empty `meter`, `customer_class` or `qos` stands for every one.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="price_adjustments")
    meter = models.CharField(max_length=32, blank=True)
    customer_class = models.CharField(max_length=32, blank=True)
    qos = models.CharField(max_length=8, blank=True)
    factor_ppm = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints: ClassVar = [
            _one_at_a_time("price_adjustment_one_at_a_time", "offering", "meter", "customer_class", "qos"),
            models.CheckConstraint(condition=_DATED, name="price_adjustment_times_in_range"),
            models.CheckConstraint(condition=Q(factor_ppm__lte=MAX_FACTOR_PPM), name="price_adjustment_factor"),
            models.CheckConstraint(condition=Q(qos__in=["", *Quality]), name="price_adjustment_qos_known"),
        ]

    def __str__(self) -> str:
        return f"{self.factor_ppm} of {self.meter or 'every meter'}"


class Coefficient(models.Model):
    """By how much rated performance of a precision counts, in millionths. Reference data with its source."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    precision = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    coefficient_ppm = models.PositiveIntegerField()
    source = models.CharField(max_length=200)
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints: ClassVar = [
            _one_at_a_time("coefficient_one_at_a_time", "precision"),
            models.UniqueConstraint(fields=["precision", "version"], name="coefficient_version_once"),
            models.CheckConstraint(condition=_DATED, name="coefficient_times_in_range"),
            models.CheckConstraint(condition=Q(precision__in=PRECISIONS), name="coefficient_precision_known"),
            models.CheckConstraint(
                condition=Q(coefficient_ppm__gt=0, coefficient_ppm__lte=MAX_FACTOR_PPM), name="coefficient_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.precision} {self.coefficient_ppm}"


class Voucher(models.Model):
    """An amount that the exchange gives a buyer towards invoices, for some meters or resources, until it expires.

    Empty scopes stand for everything. `used_minor` is the sum of its uses; what is left at the end is taken back.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="vouchers")
    code = models.CharField(max_length=40, unique=True)
    currency = models.CharField(max_length=3)
    value_minor = models.BigIntegerField()
    used_minor = models.BigIntegerField(default=0)
    meters = models.JSONField(default=list)
    resources = models.JSONField(default=list)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()  # excluded
    issued_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)  # when what was left was taken back

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["organisation", "valid_to"], condition=Q(closed_at=None), name="voucher_of_buyer"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="voucher_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(value_minor__gt=0, used_minor__gte=0, used_minor__lte=F("value_minor")),
                name="voucher_used_within_its_worth",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__gte=strict.EARLIEST, valid_to__lt=strict.LATEST, valid_from__lt=F("valid_to"))
                & Q(issued_at__gte=strict.EARLIEST, issued_at__lt=strict.LATEST)
                & (Q(closed_at__isnull=True) | Q(closed_at__gte=F("valid_to"))),
                name="voucher_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class VoucherUse(models.Model):
    """How much of a voucher a document took; below zero what a credit note gave back. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="uses")
    source_type = models.CharField(max_length=32)
    source_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    used_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["voucher", "source_type", "source_id"], name="voucher_use_once"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="voucher_use_of_something"),
        ]

    def __str__(self) -> str:
        return str(self.amount_minor)
