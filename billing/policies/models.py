"""Changes of the rules that money goes by: a dated row that one person proposes and another lets in force."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from billing.policies.rules import ChangeStatus, KindName


class PolicyChange(models.Model):
    """A row that was proposed for a table of rules, and what became of it. `said` is the row as texts, by column."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=20)
    said = models.JSONField()
    reason = models.CharField(max_length=200)
    status = models.CharField(max_length=12)
    row_id = models.UUIDField(null=True, unique=True)  # of the table, once it is approved
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            # The same row is not proposed twice over.
            models.UniqueConstraint(
                fields=["kind", "said"], condition=Q(status="proposed"), name="policy_change_waits_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=sorted(member.value for member in KindName)), name="policy_change_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(member.value for member in ChangeStatus)),
                name="policy_change_status_known",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="policy_change_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="policy_change_takes_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by__isnull=True, decided_at__isnull=True, row_id__isnull=True)
                | Q(status="approved", decided_by__isnull=False, decided_at__isnull=False, row_id__isnull=False)
                | Q(status="declined", decided_by__isnull=False, decided_at__isnull=False, row_id__isnull=True),
                name="policy_change_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & (Q(decided_at__isnull=True) | Q(decided_at__gte=F("created_at"), decided_at__lt=strict.LATEST)),
                name="policy_change_times_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
