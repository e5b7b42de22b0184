"""Providers' accounts with Stripe, transfers to them, and reversals of those."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.connect.rules import OnboardingStatus, ReversalStatus, TransferStatus


class ConnectedAccount(models.Model):
    """A provider's account with Stripe. What the provider tells Stripe about itself stays there."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="stripe_account")
    stripe_id = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stripe_id"], condition=~Q(stripe_id=""), name="connected_account_id_once"),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in OnboardingStatus)),
                name="connected_account_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[OnboardingStatus.PREPARING.value, OnboardingStatus.REFUSED.value], stripe_id="")
                | Q(status__in=[OnboardingStatus.ONBOARDING.value, OnboardingStatus.ENABLED.value]) & ~Q(stripe_id=""),
                name="connected_account_has_its_id",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, changed_at__lt=strict.LATEST)
                & Q(changed_at__gte=F("created_at")),
                name="connected_account_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id or self.status


class OnboardingLink(models.Model):
    """A page at Stripe where a provider tells about itself; each is used once and soon ends."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.PROTECT, related_name="links")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class ConnectTransfer(models.Model):
    """Money sent to a provider through Stripe for one approved payout, and paid out to its bank from there.

    The books are the payout's affair: this row says only where the money is. `payout_id` is the payout's id here.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.PROTECT, related_name="transfers")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="stripe_transfers")
    payout_id = models.UUIDField(unique=True)
    amount_minor = models.BigIntegerField()
    reversed_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=16)
    transfer_stripe_id = models.CharField(max_length=120, blank=True)
    payout_stripe_id = models.CharField(max_length=120, blank=True)
    failure = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transfer_stripe_id"], condition=~Q(transfer_stripe_id=""), name="transfer_id_once"
            ),
            models.UniqueConstraint(
                fields=["payout_stripe_id"], condition=~Q(payout_stripe_id=""), name="transfer_payout_id_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in TransferStatus)), name="transfer_status_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, reversed_minor__gte=0, reversed_minor__lte=F("amount_minor")),
                name="transfer_reversed_within_sent",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[TransferStatus.PREPARING.value, TransferStatus.FAILED.value],
                    transfer_stripe_id="",
                )
                | ~Q(status__in=[TransferStatus.PREPARING.value, TransferStatus.FAILED.value])
                & ~Q(transfer_stripe_id=""),
                name="transfer_sent_has_its_id",
            ),
            models.CheckConstraint(
                condition=~Q(status=TransferStatus.REVERSED.value) | Q(reversed_minor=F("amount_minor")),
                name="transfer_reversed_is_all",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, changed_at__lt=strict.LATEST)
                & Q(changed_at__gte=F("created_at")),
                name="transfer_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} {self.status}"


class TransferReversal(models.Model):
    """Money fetched back from a provider's Stripe balance."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    transfer = models.ForeignKey(ConnectTransfer, on_delete=models.PROTECT, related_name="reversals")
    amount_minor = models.BigIntegerField()
    status = models.CharField(max_length=12)
    stripe_id = models.CharField(max_length=120, blank=True)
    failure = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stripe_id"], condition=~Q(stripe_id=""), name="reversal_id_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="reversal_amount_positive"),
            models.CheckConstraint(
                condition=Q(status__in=[ReversalStatus.PREPARING.value, ReversalStatus.REFUSED.value]) & Q(stripe_id="")
                | Q(status=ReversalStatus.DONE.value) & ~Q(stripe_id=""),
                name="reversal_done_has_its_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.status}"
