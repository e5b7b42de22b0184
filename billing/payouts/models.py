"""When a provider's statement leaves its dispute window and its amount may be paid out."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.ledger.models import LedgerTransaction


class StatementRelease(models.Model):
    """One statement's amount on its way from pending to available; negative when the provider owes."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="statement_releases")
    statement_id = models.UUIDField(unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()  # the dispute deadline of the last delivered segment
    released_at = models.DateTimeField(null=True)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="release_moves_something"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, transaction__isnull=True)
                | Q(released_at__gte=F("due_at"), transaction__isnull=False),
                name="release_waits_for_its_deadline",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST)
                & Q(due_at__gte=strict.EARLIEST, due_at__lt=strict.LATEST),
                name="release_times_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(released_at__isnull=True), name="release_open_by_due")
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} due {self.due_at:%Y-%m-%d}"
