"""Calls to the payment service, written down before they are made, and our balance there: its rows and payouts."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from billing.gateway.rules import CallState, MovementStatus, Operation, OwnPayoutStatus
from billing.ledger.models import LedgerTransaction


class GatewayCall(models.Model):
    """One thing asked of the payment service for one row of ours: committed before it is sent, with its key.

    `parameters` are what is sent, as canonical JSON. `object_id` is what the service made.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operation = models.CharField(max_length=20)
    subject_type = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    key = models.CharField(max_length=80, unique=True)
    parameters = models.TextField()
    account = models.CharField(max_length=64, blank=True)  # the connected account it is made on
    state = models.CharField(max_length=12, default=CallState.INTENDED)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    object_id = models.CharField(max_length=120, blank=True)
    object_url = models.TextField(blank=True)
    object_status = models.CharField(max_length=40, blank=True)
    refusal_code = models.CharField(max_length=80, blank=True)
    refusal = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["operation", "subject_type", "subject_id"], name="gateway_call_once"),
            models.CheckConstraint(
                condition=Q(operation__in=sorted(member.value for member in Operation)),
                name="gateway_call_operation_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(member.value for member in CallState)), name="gateway_call_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=CallState.INTENDED.value, answered_at__isnull=True)
                | Q(state=CallState.UNKNOWN.value, answered_at__isnull=True, first_sent_at__isnull=False)
                | Q(state=CallState.DONE.value, answered_at__isnull=False, first_sent_at__isnull=False)
                & ~Q(object_id="")
                | Q(state=CallState.REFUSED.value, answered_at__isnull=False) & ~Q(refusal_code=""),
                name="gateway_call_answered_has_its_answer",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(first_sent_at__isnull=True) | Q(first_sent_at__gte=F("created_at"))),
                name="gateway_call_times_in_order",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=[CallState.INTENDED.value, CallState.UNKNOWN.value]),
                name="gateway_call_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation} for {self.subject_type} {self.subject_id}"


class BalanceTransaction(models.Model):
    """A row of our Stripe balance as Stripe shows it. Only when it becomes available does it change.

    `reporting_category` is what accounting goes by. `payout_id` names the automatic payout that took it to the bank.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    stripe_id = models.CharField(max_length=120, unique=True)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    type = models.CharField(max_length=60)
    reporting_category = models.CharField(max_length=60)
    source_id = models.CharField(max_length=120, blank=True)
    description = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=12)
    available_on = models.DateTimeField()
    created_at = models.DateTimeField()  # at Stripe
    pulled_at = models.DateTimeField()
    payout_id = models.CharField(max_length=120, blank=True, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(net_minor=F("amount_minor") - F("fee_minor")), name="balance_transaction_net_is_less_fee"
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in MovementStatus)),
                name="balance_transaction_status_known",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="balance_transaction_iso"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & Q(available_on__gte=strict.EARLIEST, available_on__lt=strict.LATEST)
                & Q(pulled_at__gte=strict.EARLIEST, pulled_at__lt=strict.LATEST),
                name="balance_transaction_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="balance_transaction_by_time"),
            models.Index(fields=["source_id"], name="balance_transaction_by_source"),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class StripePayout(models.Model):
    """Money that Stripe sends from our balance to our bank account; posted when Stripe says that it is paid.

    Below zero where Stripe takes from the bank what the balance lacks.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    stripe_id = models.CharField(max_length=120, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    is_automatic = models.BooleanField()  # only of these Stripe tells which rows they took
    status = models.CharField(max_length=12)
    created_at = models.DateTimeField()  # at Stripe
    arrives_on = models.DateField()
    failure = models.CharField(max_length=120, blank=True)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in OwnPayoutStatus)),
                name="stripe_payout_status_known",
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="stripe_payout_moves_something"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="stripe_payout_iso"),
            models.CheckConstraint(
                condition=~Q(status=OwnPayoutStatus.PAID.value) | Q(transaction__isnull=False),
                name="stripe_payout_paid_is_posted",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & Q(arrives_on__gte=strict.EARLIEST.date(), arrives_on__lt=strict.LATEST.date()),
                name="stripe_payout_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id
