"""Titles that fapiao are made out to, fapiao with the documents they are over, and calls to an issuing service.

A fapiao over a credit note or over a mistake is a red letter: negative, and bound to the one it takes back.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.fapiao.rules import CURRENCY, NUMBERED, CallState, Kind, RedCause, Status
from billing.invoices.models import Invoice

_NUMBERED = sorted(member.value for member in NUMBERED)


class FapiaoTitle(models.Model):
    """What a buyer's fapiao say of it (抬头). Never changed: another one is entered, and this one ended."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="fapiao_titles")
    name = models.CharField(max_length=100)
    tax_id = models.CharField(max_length=18, blank=True)  # unified social credit code
    address = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    bank_account = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="fapiao_title_has_a_name"),
            models.CheckConstraint(
                condition=Q(tax_id="") | Q(tax_id__regex=r"^[0-9A-HJ-NPQRTUWXY]{18}$"), name="fapiao_title_tax_id_shape"
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(ended_at__isnull=True) | Q(ended_at__gte=F("created_at"), ended_at__lt=strict.LATEST)),
                name="fapiao_title_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def serves(self, kind: Kind) -> bool:
        """Whether a fapiao of a kind can be made out to it: a special one needs all of it."""
        return kind is Kind.ORDINARY or all((self.tax_id, self.address, self.phone, self.bank_name, self.bank_account))


class Fapiao(models.Model):
    """A fapiao that was asked for, and once it is issued its number. What was asked for never changes.

    A red letter (`red_of`) has amounts below zero. `reversed_minor` is what issued red letters took back so far.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="fapiao")
    title = models.ForeignKey(FapiaoTitle, on_delete=models.PROTECT, related_name="fapiao")
    kind = models.CharField(max_length=12)
    red_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="red_letters")
    red_cause = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=200, blank=True)  # of a red letter
    seller_name = models.CharField(max_length=200)
    seller_tax_id = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    requested_by = models.CharField(max_length=200)  # as the audit trail names them
    requested_at = models.DateTimeField()
    # What changes in its life.
    status = models.CharField(max_length=12)
    refusal = models.CharField(max_length=200, blank=True)
    number = models.CharField(max_length=20, blank=True)
    issued_on = models.DateField(null=True)
    file_url = models.CharField(max_length=500, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    recorded_by = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField(null=True)
    reversed_minor = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["organisation", "-id"], name="billing_fapiao_of_org"),
            models.Index(fields=["status", "-id"], name="billing_fapiao_by_status"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number"], condition=~Q(number=""), name="fapiao_number_once"),
            models.CheckConstraint(condition=Q(kind__in=[member.value for member in Kind]), name="fapiao_kind_known"),
            models.CheckConstraint(
                condition=Q(status__in=[member.value for member in Status]), name="fapiao_status_known"
            ),
            models.CheckConstraint(condition=Q(currency=CURRENCY), name="fapiao_in_yuan"),
            models.CheckConstraint(
                condition=Q(total_minor=F("net_minor") + F("tax_minor")), name="fapiao_total_is_net_and_tax"
            ),
            models.CheckConstraint(
                condition=Q(red_of__isnull=True, red_cause="", reason="", total_minor__gt=0)
                | Q(
                    red_of__isnull=False,
                    red_cause__in=[RedCause.CREDIT_NOTE.value, RedCause.MISTAKE.value],
                    total_minor__lt=0,
                )
                & ~Q(reason=""),
                name="fapiao_red_is_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_NUMBERED, issued_on__isnull=False, recorded_at__isnull=False)
                & Q(number__regex=r"^[0-9]{20}$")
                & ~Q(recorded_by="")
                | Q(
                    ~Q(status__in=_NUMBERED),
                    number="",
                    issued_on__isnull=True,
                    recorded_at__isnull=True,
                    recorded_by="",
                    file_url="",
                    file_sha256="",
                ),
                name="fapiao_numbered_when_issued",
            ),
            models.CheckConstraint(
                condition=Q(file_sha256="") | Q(file_sha256__regex=r"^[0-9a-f]{64}$"), name="fapiao_file_digest_shape"
            ),
            models.CheckConstraint(
                condition=Q(status=Status.REFUSED.value) & ~Q(refusal="")
                | ~Q(status=Status.REFUSED.value) & Q(refusal=""),
                name="fapiao_refused_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(red_of__isnull=False, reversed_minor=0)
                | Q(status=Status.REVERSED.value, reversed_minor=F("total_minor"))
                | ~Q(status=Status.REVERSED.value)
                & Q(red_of__isnull=True, reversed_minor__gte=0, reversed_minor__lt=F("total_minor")),
                name="fapiao_reversed_when_all_is_back",
            ),
            models.CheckConstraint(
                condition=Q(requested_at__gte=strict.EARLIEST, requested_at__lt=strict.LATEST)
                & (Q(recorded_at__isnull=True) | Q(recorded_at__gte=F("requested_at"), recorded_at__lt=strict.LATEST))
                & (
                    Q(issued_on__isnull=True)
                    | Q(issued_on__gte=strict.EARLIEST.date(), issued_on__lt=strict.LATEST.date())
                ),
                name="fapiao_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.number or ids.spell("fap", self.id)


class FapiaoPart(models.Model):
    """A document that a fapiao is over, with its amounts there; a red letter over a mistake has them negated.

    While `is_live` the document is on no other fapiao.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    fapiao = models.ForeignKey(Fapiao, on_delete=models.PROTECT, related_name="parts")
    document = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="fapiao_parts")
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    is_live = models.BooleanField()

    class Meta:
        ordering = ("fapiao", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fapiao", "document"], name="fapiao_part_once"),
            models.UniqueConstraint(fields=["document"], condition=Q(is_live=True), name="fapiao_one_lives_a_document"),
        ]

    def __str__(self) -> str:
        return f"{self.total_minor}"


class FapiaoTax(models.Model):
    """The net and the tax of one category and rate on a fapiao, as its documents have them. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    fapiao = models.ForeignKey(Fapiao, on_delete=models.PROTECT, related_name="taxes")
    category = models.CharField(max_length=2)
    rate_ppm = models.PositiveIntegerField()
    base_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        ordering = ("fapiao", "category", "rate_ppm")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fapiao", "category", "rate_ppm"], name="fapiao_tax_once_a_rate"),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.rate_ppm}"


class FapiaoCall(models.Model):
    """What an issuing service is asked for one fapiao: written down with its key before it is sent."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    fapiao = models.OneToOneField(Fapiao, on_delete=models.PROTECT, related_name="call")
    key = models.CharField(max_length=40, unique=True)
    body = models.TextField()  # canonical JSON; the same each time it is sent
    state = models.CharField(max_length=12, default=CallState.INTENDED.value)
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)  # why there is no answer yet
    created_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[member.value for member in CallState]), name="fapiao_call_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=CallState.INTENDED.value, first_sent_at__isnull=True, answered_at__isnull=True)
                | Q(state=CallState.SENT.value, first_sent_at__isnull=False, answered_at__isnull=True)
                | Q(state=CallState.ANSWERED.value, answered_at__isnull=False),
                name="fapiao_call_answered_has_its_answer",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(first_sent_at__isnull=True) | Q(first_sent_at__gte=F("created_at"))),
                name="fapiao_call_times_in_order",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["looked_at"],
                condition=Q(state__in=[CallState.INTENDED.value, CallState.SENT.value]),
                name="fapiao_call_open",
            )
        ]

    def __str__(self) -> str:
        return self.key
