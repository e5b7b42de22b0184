"""Wallets that ran out: how long each stage lasts, and where each landing stands."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.landings.rules import NO_NEW_USE, Stage

MAX_HOURS = 90 * 24


class LandingPolicy(models.Model):
    """How many hours a wallet that ran out has, from an instant on. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    grace_hours = models.PositiveIntegerField()  # until nothing new is bought
    notice_hours = models.PositiveIntegerField()  # and from then until leases are handed back
    effective_from = models.DateTimeField(unique=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(grace_hours__lte=MAX_HOURS, notice_hours__lte=MAX_HOURS), name="landing_policy_in_range"
            ),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST),
                name="landing_policy_time_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grace_hours} + {self.notice_hours} h from {self.effective_from:%Y-%m-%d}"


class WalletLanding(models.Model):
    """One time that a wallet ran out, from its first day to the one on which there was enough again.

    `stops_at` and `releases_at` are what the buyer was told; a stage begins then or later, never before.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="wallet_landings")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12)
    began_at = models.DateTimeField()
    stops_at = models.DateTimeField()
    releases_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    releasing_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organisation", "id"], name="wallet_landing_of_organisation")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "currency"],
                condition=~Q(status=Stage.LIFTED.value),
                name="wallet_landing_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(stage.value for stage in Stage)), name="wallet_landing_status_known"
            ),
            # Nobody is stopped, and nothing is handed back, before the time that was told.
            models.CheckConstraint(
                condition=Q(began_at__lte=F("stops_at"), stops_at__lte=F("releases_at"))
                & (Q(stopped_at__isnull=True) | Q(stopped_at__gte=F("stops_at"), stopped_at__lte=F("releases_at")))
                & (Q(releasing_at__isnull=True) | Q(stopped_at__isnull=False, releasing_at__gte=F("releases_at"))),
                name="wallet_landing_not_before_its_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=Stage.GRACE.value,
                    stopped_at__isnull=True,
                    releasing_at__isnull=True,
                    lifted_at__isnull=True,
                )
                | Q(
                    status=Stage.STOPPED.value,
                    stopped_at__isnull=False,
                    releasing_at__isnull=True,
                    lifted_at__isnull=True,
                )
                | Q(status=Stage.RELEASING.value, releasing_at__isnull=False, lifted_at__isnull=True)
                | Q(status=Stage.LIFTED.value, lifted_at__isnull=False),
                name="wallet_landing_dates_of_its_stage",
            ),
            models.CheckConstraint(
                condition=Q(began_at__gte=strict.EARLIEST, releases_at__lt=strict.LATEST)
                & (Q(lifted_at__isnull=True) | Q(lifted_at__lt=strict.LATEST)),
                name="wallet_landing_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.status}"

    @property
    def is_stopped(self) -> bool:
        """Whether nothing new may be bought."""
        return self.status in NO_NEW_USE
