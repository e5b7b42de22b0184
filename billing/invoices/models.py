"""Invoices and statements with their lines and taxes, and the counters their numbers come from.

After issue only the state and what was paid change (triggers see to it); corrections are documents of their own.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from accounts.projects.models import Project
from billing.contracts.models import Contract
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Reason, Resolution, Side
from billing.rating.bills import LineKind
from billing.rating.models import Charge
from billing.rating.quantities import LARGEST
from catalog.offerings.models import Offering


class InvoiceSeries(models.Model):
    """The series in which a legal entity numbers its documents of a kind; made at the first of them. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    entity = models.CharField(max_length=200)  # the tax id, else the name in law
    kind = models.CharField(max_length=24)
    series = models.CharField(max_length=8)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entity", "kind"], name="invoice_series_once_an_entity"),
            models.UniqueConstraint(fields=["series"], name="invoice_series_of_one_entity"),
            models.CheckConstraint(condition=Q(kind__in=list(InvoiceKind)), name="invoice_series_kind_known"),
        ]

    def __str__(self) -> str:
        return self.series


class InvoiceCounter(models.Model):
    """The last number given in a series and year. Locked by the transaction that issues, so no number is lost."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    series = models.CharField(max_length=8)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)
    last_issued_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "year"], name="invoice_counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.year}: {self.last}"


class Invoice(models.Model):
    """A document about one contract: to its buyer, or to its provider (a self-billing statement).

    `seller` and `buyer` are the parties of the document as the law knew them. `digest` is the SHA-256 of its
    canonical content.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=24)
    reason = models.CharField(max_length=16)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="invoices")
    contract_n = models.PositiveIntegerField()  # counts a contract's documents of a side
    side = models.CharField(max_length=16)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invoices")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="invoices")
    series = models.CharField(max_length=8)
    year = models.PositiveSmallIntegerField(null=True)
    n = models.PositiveIntegerField(null=True)
    number = models.CharField(max_length=24, blank=True)
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    cutoff_at = models.DateTimeField()  # usage that ended by then is considered
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    rounding = models.CharField(max_length=16)
    seller = models.JSONField()
    buyer = models.JSONField()
    digest = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    synthetic = models.BooleanField(default=False)
    # Of a credit note: the document that it takes something back of, and why.
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="notes")
    correction_reason = models.CharField(max_length=200, blank=True, default="")
    # What changes after issue.
    status = models.CharField(max_length=16, default=InvoiceStatus.DRAFT)
    paid_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=["organisation", "side", "-id"], name="billing_invoice_of_org")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "year", "n"], name="invoice_number_once"),
            models.UniqueConstraint(fields=["number"], condition=~Q(number=""), name="invoice_number_text_once"),
            models.UniqueConstraint(fields=["contract", "side", "contract_n"], name="invoice_place_in_contract"),
            models.UniqueConstraint(
                fields=["contract", "side"],
                condition=Q(reason=Reason.CONTRACT_END),
                name="invoice_one_at_contract_end",
            ),
            models.UniqueConstraint(
                fields=["contract", "side", "cutoff_at"],
                condition=Q(reason=Reason.MONTH_END),
                name="invoice_one_a_month",
            ),
            models.CheckConstraint(condition=Q(kind__in=list(InvoiceKind)), name="invoice_kind_known"),
            models.CheckConstraint(condition=Q(reason__in=list(Reason)), name="invoice_reason_known"),
            models.CheckConstraint(condition=Q(status__in=list(InvoiceStatus)), name="invoice_status_known"),
            models.CheckConstraint(
                condition=Q(side=Side.PROVIDER, kind__in=[InvoiceKind.PROVIDER_STATEMENT, InvoiceKind.PROVIDER_CREDIT])
                | Q(side=Side.CUSTOMER, kind__in=[InvoiceKind.CUSTOMER, InvoiceKind.CREDIT_NOTE]),
                name="invoice_kind_is_of_its_side",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="invoice_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(total_minor=F("net_minor") + F("tax_minor")), name="invoice_total_is_net_and_tax"
            ),
            models.CheckConstraint(
                condition=Q(kind=InvoiceKind.CUSTOMER, total_minor__gte=0)
                | Q(kind__in=[InvoiceKind.CREDIT_NOTE, InvoiceKind.PROVIDER_CREDIT], total_minor__lt=0)
                | Q(kind=InvoiceKind.PROVIDER_STATEMENT),
                name="invoice_sign_is_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.DRAFT, n__isnull=True, number="", issued_at__isnull=True)
                | Q(
                    ~Q(status=InvoiceStatus.DRAFT),
                    ~Q(number=""),
                    n__gt=0,
                    year__isnull=False,
                    issued_at__isnull=False,
                    digest__regex=r"^[0-9a-f]{64}$",
                ),
                name="invoice_numbered_when_issued",
            ),
            models.CheckConstraint(
                condition=Q(paid_minor__gte=0, credited_minor__gte=0, written_off_minor__gte=0)
                & (
                    Q(total_minor__gte=F("paid_minor") + F("credited_minor") + F("written_off_minor"))
                    | Q(total_minor__lt=0, paid_minor=0, credited_minor=0, written_off_minor=0)
                ),
                name="invoice_not_paid_beyond_total",
            ),
            models.CheckConstraint(
                condition=Q(
                    reason=Reason.CORRECTION,
                    corrects__isnull=False,
                    kind__in=[InvoiceKind.CREDIT_NOTE, InvoiceKind.PROVIDER_CREDIT],
                )
                & ~Q(correction_reason="")
                | Q(~Q(reason=Reason.CORRECTION), corrects__isnull=True, correction_reason="")
                & ~Q(kind=InvoiceKind.PROVIDER_CREDIT),
                name="invoice_correction_points_at_its_original",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.PAID, paid_at__isnull=False)
                | Q(~Q(status=InvoiceStatus.PAID), paid_at__isnull=True),
                name="invoice_paid_since",
            ),
            models.CheckConstraint(
                condition=Q(period_start__gte=strict.EARLIEST, period_end__lt=strict.LATEST)
                & Q(period_start__lt=F("period_end"))
                & Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(issued_at__isnull=True) | Q(issued_at__gte=strict.EARLIEST, issued_at__lt=strict.LATEST))
                & (Q(due_at__isnull=True) | Q(due_at__gte=F("issued_at"), due_at__lt=strict.LATEST)),
                name="invoice_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.number or "draft"


class InvoiceLine(models.Model):
    """One line: a quantity at a price, or a share of an amount printed on the same document. Append-only.

    `raw_quantity` of `raw_per_unit` is exact; `quantity` is what is printed. `source` says where the line came
    from: contract, offering, meter, how many charges and their digest.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    n = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    description = models.CharField(max_length=300)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, null=True, related_name="invoice_lines")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="invoice_lines")
    unit = models.CharField(max_length=32)
    quantity = models.DecimalField(max_digits=38, decimal_places=9)
    raw_quantity = models.DecimalField(max_digits=38, decimal_places=9)
    raw_per_unit = models.PositiveIntegerField()
    price_micros = models.BigIntegerField(null=True)
    base_quantity = models.BigIntegerField(default=1)
    share_ppm = models.PositiveIntegerField(null=True)
    share_base_minor = models.BigIntegerField(null=True)
    amount_minor = models.BigIntegerField()
    tax_category = models.CharField(max_length=2)
    tax_rate_ppm = models.PositiveIntegerField()
    service_start = models.DateTimeField()
    service_end = models.DateTimeField()
    source = models.JSONField()

    class Meta:
        ordering = ("invoice", "n")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "n"], name="invoice_line_place"),
            models.CheckConstraint(condition=Q(kind__in=list(LineKind)), name="invoice_line_kind_known"),
            models.CheckConstraint(
                condition=Q(price_micros__isnull=False, share_ppm__isnull=True, share_base_minor__isnull=True)
                | Q(price_micros__isnull=True, share_ppm__isnull=False, share_base_minor__isnull=False),
                name="invoice_line_price_or_share",
            ),
            models.CheckConstraint(
                condition=Q(quantity__lt=LARGEST, raw_quantity__lt=LARGEST, raw_per_unit__gt=0, base_quantity__gt=0),
                name="invoice_line_quantity_is_a_number",
            ),
            models.CheckConstraint(
                condition=Q(service_start__gte=strict.EARLIEST, service_end__lt=strict.LATEST)
                & Q(service_start__lt=F("service_end")),
                name="invoice_line_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.description


class InvoiceTax(models.Model):
    """The tax of one category and rate, rounded once on the sum of its lines. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="taxes")
    category = models.CharField(max_length=2)
    rate_ppm = models.PositiveIntegerField()
    base_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        ordering = ("invoice", "category", "rate_ppm")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "category", "rate_ppm"], name="invoice_tax_once_a_rate"),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.rate_ppm}"


class BilledCharge(models.Model):
    """Which line a charge is on: one for the customer and one for the provider, never a second. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="billed")
    side = models.CharField(max_length=16)
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="billed_charges")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charge", "side"], name="billed_charge_once_a_side"),
            models.CheckConstraint(condition=Q(side__in=list(Side)), name="billed_charge_side_known"),
        ]

    def __str__(self) -> str:
        return self.side


class InvoiceDispute(models.Model):
    """A buyer's objection to an invoice, and how finance answered it. Only its resolution is ever added."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="disputes")
    reason = models.CharField(max_length=500)
    opened_by = models.CharField(max_length=200)  # as the audit trail names them
    opened_at = models.DateTimeField()
    resolution = models.CharField(max_length=16, blank=True, default="")
    resolution_reason = models.CharField(max_length=500, blank=True, default="")
    resolved_by = models.CharField(max_length=200, blank=True, default="")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(resolved_at__isnull=True), name="invoice_dispute_one_open"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="invoice_dispute_has_a_reason"),
            models.CheckConstraint(
                condition=Q(resolution="", resolution_reason="", resolved_by="", resolved_at__isnull=True)
                | Q(resolution__in=list(Resolution), resolved_at__gte=F("opened_at"))
                & ~Q(resolution_reason="")
                & ~Q(resolved_by=""),
                name="invoice_dispute_resolved_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__gte=strict.EARLIEST, opened_at__lt=strict.LATEST)
                & (Q(resolved_at__isnull=True) | Q(resolved_at__lt=strict.LATEST)),
                name="invoice_dispute_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.resolution or "open"


class DunningLevel(models.Model):
    """When a reminder of an unpaid invoice goes out, and what it says in two languages. Reference data, append-only."""

    level = models.PositiveSmallIntegerField(primary_key=True)
    days_past_due = models.PositiveSmallIntegerField(unique=True)
    text = models.CharField(max_length=300)
    text_zh = models.CharField(max_length=300)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(level__gt=0), name="dunning_level_in_range"),
        ]

    def __str__(self) -> str:
        return f"level {self.level}"


class DunningNotice(models.Model):
    """A reminder that went out: one of each level for an invoice. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="reminders")
    level = models.ForeignKey(DunningLevel, on_delete=models.PROTECT, related_name="notices")
    outstanding_minor = models.BigIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "level"], name="dunning_notice_once_a_level"),
            models.CheckConstraint(condition=Q(outstanding_minor__gt=0), name="dunning_notice_of_something"),
            models.CheckConstraint(
                condition=Q(sent_at__gte=strict.EARLIEST, sent_at__lt=strict.LATEST),
                name="dunning_notice_time_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"level {self.level_id}"


class WriteOff(models.Model):
    """A claim given up: asked for by one person, approved by another."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="write_offs")
    reason = models.CharField(max_length=500)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    amount_minor = models.BigIntegerField(null=True)  # what was outstanding when it was approved

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice"], name="write_off_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="write_off_has_a_reason"),
            models.CheckConstraint(condition=~Q(asked_by=F("approved_by")), name="write_off_takes_two_people"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True, amount_minor__isnull=True)
                | Q(approved_by__isnull=False, approved_at__gte=F("asked_at"), amount_minor__gt=0),
                name="write_off_approved_as_a_whole",
            ),
            models.CheckConstraint(
                condition=Q(asked_at__gte=strict.EARLIEST, asked_at__lt=strict.LATEST)
                & (Q(approved_at__isnull=True) | Q(approved_at__lt=strict.LATEST)),
                name="write_off_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
