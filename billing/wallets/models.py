"""Changes of credit limits by two people, and the thresholds at which a wallet's owner is warned."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.wallets.rules import MAX_LIMIT_MINOR, ChangeStatus


class CreditLimitChange(models.Model):
    """A credit limit proposed by one person and decided on by another."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="credit_limit_changes")
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    status = models.CharField(max_length=12)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "currency"],
                condition=Q(status=ChangeStatus.PROPOSED.value),
                name="credit_change_one_waits",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in ChangeStatus)),
                name="credit_change_status_known",
            ),
            models.CheckConstraint(
                condition=Q(limit_minor__gte=0, limit_minor__lte=MAX_LIMIT_MINOR), name="credit_change_limit_in_range"
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("proposed_by")) | Q(decided_by__isnull=True),
                name="credit_change_takes_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status=ChangeStatus.PROPOSED.value, decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(status=ChangeStatus.PROPOSED.value) & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="credit_change_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="credit_change_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.limit_minor} {self.currency} {self.status}"


class WalletThreshold(models.Model):
    """An amount below which a wallet's owner is warned, once, until there is more again."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="wallet_thresholds")
    currency = models.CharField(max_length=3)
    below_minor = models.BigIntegerField()
    is_armed = models.BooleanField()
    warned_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "currency", "below_minor"], name="wallet_threshold_once"),
            models.CheckConstraint(
                condition=Q(below_minor__gte=0, below_minor__lte=MAX_LIMIT_MINOR), name="wallet_threshold_in_range"
            ),
            models.CheckConstraint(
                condition=Q(warned_at__isnull=True) | Q(warned_at__gte=strict.EARLIEST, warned_at__lt=strict.LATEST),
                name="wallet_threshold_warned_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"below {self.below_minor} {self.currency}"
