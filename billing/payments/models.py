"""Top-ups as announced by customers, and receipts as shown by the bank."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.gateway.models import StripePayout
from billing.payments.rules import MAX_TOP_UP_MINOR, ReceiptStatus, TopUpMethod, TopUpStatus


class TopUp(models.Model):
    """Money that a customer announces for its wallet."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="top_ups")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=20)
    reference = models.CharField(max_length=20, unique=True)  # what the payer quotes to the bank
    status = models.CharField(max_length=12)
    # Empty when the exchange itself or a key acted; the audit trail names those.
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # returned or cancelled

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in TopUpStatus]), name="top_up_status_known"
            ),
            models.CheckConstraint(
                condition=Q(method__in=[method.value for method in TopUpMethod]), name="top_up_method_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MAX_TOP_UP_MINOR), name="top_up_amount_in_range"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[TopUpStatus.CONFIRMED.value, TopUpStatus.RETURNED.value], confirmed_at__isnull=False
                )
                | (
                    Q(status__in=[TopUpStatus.AWAITING.value, TopUpStatus.CANCELLED.value])
                    & Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                ),
                name="top_up_confirmed_has_its_instant",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[TopUpStatus.RETURNED.value, TopUpStatus.CANCELLED.value], ended_at__isnull=False
                )
                | (Q(status__in=[TopUpStatus.AWAITING.value, TopUpStatus.CONFIRMED.value]) & Q(ended_at__isnull=True)),
                name="top_up_ended_has_its_instant",
            ),
            models.CheckConstraint(condition=~Q(confirmed_by=F("requested_by")), name="top_up_takes_two_people"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="top_up_created_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class BankReceipt(models.Model):
    """A line of the bank's statement: money received. Whose it is may only turn out later."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    bank_reference = models.CharField(max_length=64, unique=True)  # the bank's own id of the transaction
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_date = models.DateField()
    payer = models.CharField(max_length=200)
    remittance = models.CharField(max_length=200, blank=True)  # the payer's text
    status = models.CharField(max_length=12)
    top_up = models.OneToOneField(TopUp, on_delete=models.PROTECT, null=True, related_name="receipt")
    # What Stripe sent from our balance there; posted by that, not by the receipt.
    stripe_payout = models.OneToOneField(StripePayout, on_delete=models.PROTECT, null=True, related_name="receipt")
    recorded_at = models.DateTimeField()
    matched_at = models.DateTimeField(null=True)  # or split, or returned

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in ReceiptStatus]), name="receipt_status_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="receipt_amount_positive"),
            models.CheckConstraint(
                condition=Q(status=ReceiptStatus.MATCHED.value, matched_at__isnull=False)
                & (
                    Q(top_up__isnull=False, stripe_payout__isnull=True)
                    | Q(top_up__isnull=True, stripe_payout__isnull=False)
                )
                | Q(
                    status__in=[ReceiptStatus.SPLIT.value, ReceiptStatus.RETURNED.value],
                    top_up__isnull=True,
                    stripe_payout__isnull=True,
                    matched_at__isnull=False,
                )
                | Q(
                    status=ReceiptStatus.UNMATCHED.value,
                    top_up__isnull=True,
                    stripe_payout__isnull=True,
                    matched_at__isnull=True,
                ),
                name="receipt_matched_with_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(recorded_at__gte=strict.EARLIEST, recorded_at__lt=strict.LATEST)
                & Q(value_date__gte=strict.EARLIEST.date(), value_date__lt=strict.LATEST.date()),
                name="receipt_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.bank_reference


class ReceiptPart(models.Model):
    """A top-up that came together with others in one transfer. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    receipt = models.ForeignKey(BankReceipt, on_delete=models.PROTECT, related_name="parts")
    top_up = models.OneToOneField(TopUp, on_delete=models.PROTECT, related_name="part")
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="receipt_part_amount_positive")
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of {self.receipt_id}"
