"""Customers and saved methods at Stripe, card payments, refunds and disputes. No card's number is ever here."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.cards.rules import (
    MAX_CARD_PAYMENT_MINOR,
    DisputeStatus,
    PaymentPurpose,
    PaymentStatus,
    RefundStatus,
    SetupStatus,
)
from billing.invoices.models import Invoice
from billing.ledger.models import LedgerTransaction


class CardCustomer(models.Model):
    """An organisation as Stripe knows it, and the method its invoices are collected from."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="card_customer")
    stripe_id = models.CharField(max_length=120, blank=True)
    autopay_method = models.ForeignKey("billing.SavedMethod", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stripe_id"], condition=~Q(stripe_id=""), name="card_customer_id_once")
        ]

    def __str__(self) -> str:
        return self.stripe_id


class SavedMethod(models.Model):
    """A card that Stripe keeps for an organisation: what may be shown of it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="saved_methods")
    stripe_id = models.CharField(max_length=120, unique=True)
    brand = models.CharField(max_length=40)
    last4 = models.CharField(max_length=4, blank=True)
    expires_year = models.PositiveSmallIntegerField()
    expires_month = models.PositiveSmallIntegerField()
    saved_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(saved_at__gte=strict.EARLIEST, saved_at__lt=strict.LATEST)
                & (Q(removed_at__isnull=True) | Q(removed_at__gte=F("saved_at"))),
                name="saved_method_in_range",
            )
        ]

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}"


class MethodSetup(models.Model):
    """A page at Stripe where a person leaves a card for later."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="method_setups")
    status = models.CharField(max_length=12)
    session_id = models.CharField(max_length=120, blank=True)
    url = models.TextField(blank=True)
    method = models.OneToOneField(SavedMethod, on_delete=models.PROTECT, null=True, related_name="setup")
    return_to = models.CharField(max_length=300)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session_id"], condition=~Q(session_id=""), name="method_setup_once"),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in SetupStatus)), name="method_setup_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=SetupStatus.SAVED.value, method__isnull=False)
                | ~Q(status=SetupStatus.SAVED.value) & Q(method__isnull=True),
                name="method_setup_saved_has_its_method",
            ),
        ]

    def __str__(self) -> str:
        return self.session_id


class CardPayment(models.Model):
    """Money by card for a wallet or an invoice: on a page at Stripe, or from a saved method while the payer is away."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="card_payments")
    purpose = models.CharField(max_length=12)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="card_payments")
    method = models.ForeignKey(SavedMethod, on_delete=models.PROTECT, null=True, related_name="payments")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12)
    session_id = models.CharField(max_length=120, blank=True)
    intent_id = models.CharField(max_length=120, blank=True)
    charge_id = models.CharField(max_length=120, blank=True)
    url = models.TextField(blank=True)  # where the payer pays, while it is open
    return_to = models.CharField(max_length=300, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    refunded_minor = models.BigIntegerField(default=0)  # asked back and not failed
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session_id"], condition=~Q(session_id=""), name="card_payment_session_once"
            ),
            models.UniqueConstraint(fields=["intent_id"], condition=~Q(intent_id=""), name="card_payment_intent_once"),
            models.UniqueConstraint(fields=["charge_id"], condition=~Q(charge_id=""), name="card_payment_charge_once"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(status__in=[PaymentStatus.PREPARING.value, PaymentStatus.OPEN.value]),
                name="card_payment_one_under_way",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in PaymentStatus)),
                name="card_payment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(purpose=PaymentPurpose.TOP_UP.value, invoice__isnull=True)
                | Q(purpose=PaymentPurpose.INVOICE.value, invoice__isnull=False, method__isnull=False),
                name="card_payment_purpose_has_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MAX_CARD_PAYMENT_MINOR),
                name="card_payment_amount_in_range",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("amount_minor"))
                & (Q(refunded_minor=0) | Q(status=PaymentStatus.SUCCEEDED.value)),
                name="card_payment_refunded_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(status=PaymentStatus.SUCCEEDED.value, succeeded_at__isnull=False, transaction__isnull=False)
                & ~Q(intent_id="")
                & ~Q(charge_id="")
                | ~Q(status=PaymentStatus.SUCCEEDED.value) & Q(succeeded_at__isnull=True, transaction__isnull=True),
                name="card_payment_succeeded_is_posted",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="card_payment_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} {self.status}"


class RefundPolicy(models.Model):
    """Up to which amount one person may send money back to a card, from an instant on. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    currency = models.CharField(max_length=3)
    alone_up_to_minor = models.BigIntegerField()
    effective_from = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["currency", "effective_from"], name="refund_policy_once"),
            models.CheckConstraint(condition=Q(alone_up_to_minor__gte=0), name="refund_policy_in_range"),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST),
                name="refund_policy_time_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alone_up_to_minor} {self.currency} from {self.effective_from:%Y-%m-%d}"


class CardRefund(models.Model):
    """Money of a card payment on its way back to the card."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(CardPayment, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    alone_up_to_minor = models.BigIntegerField()  # the limit above which two people are needed, when it was asked
    status = models.CharField(max_length=12)
    reason = models.CharField(max_length=200)
    stripe_id = models.CharField(max_length=120, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stripe_id"], condition=~Q(stripe_id=""), name="refund_id_once"),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in RefundStatus)), name="refund_status_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(status__in=[RefundStatus.REQUESTED.value, RefundStatus.DECLINED.value])
                | Q(amount_minor__lte=F("alone_up_to_minor"))
                | Q(approved_by__isnull=False, requested_by__isnull=False) & ~Q(approved_by=F("requested_by")),
                name="refund_above_the_limit_takes_two",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[RefundStatus.REQUESTED.value, RefundStatus.DECLINED.value], transaction__isnull=True
                )
                | Q(
                    status__in=[RefundStatus.SENT.value, RefundStatus.SUCCEEDED.value, RefundStatus.FAILED.value],
                    transaction__isnull=False,
                ),
                name="refund_sent_is_posted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.status}"


class CardDispute(models.Model):
    """A charge that the payer's bank has taken back, until it is decided who keeps the money."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(CardPayment, on_delete=models.PROTECT, related_name="disputes")
    stripe_id = models.CharField(max_length=120, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=60)
    status = models.CharField(max_length=12)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in DisputeStatus)), name="dispute_status_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
            models.CheckConstraint(
                condition=Q(status=DisputeStatus.OPEN.value, closed_at__isnull=True)
                | ~Q(status=DisputeStatus.OPEN.value) & Q(closed_at__isnull=False),
                name="dispute_closed_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stripe_id} {self.status}"
