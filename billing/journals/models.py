"""Entries by hand with their lines. The lines never change; what changes is whether it was posted."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.journals.rules import JournalKind, JournalStatus
from billing.ledger.models import LedgerTransaction


class ManualJournal(models.Model):
    """A journal entry that a person proposes and another approves."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    effective_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    subject_type = models.CharField(max_length=32, blank=True)  # what it settles, when anything
    subject_id = models.UUIDField(null=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    status = models.CharField(max_length=12)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=list(JournalKind)), name="journal_kind_known"),
            models.CheckConstraint(condition=Q(status__in=list(JournalStatus)), name="journal_status_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="journal_currency_is_iso"),
            models.CheckConstraint(condition=~Q(reason=""), name="journal_has_its_reason"),
            models.CheckConstraint(
                condition=Q(subject_type="", subject_id__isnull=True)
                | Q(~Q(subject_type=""), subject_id__isnull=False),
                name="journal_subject_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(status=JournalStatus.PROPOSED, decided_by__isnull=True, decided_at__isnull=True)
                | Q(~Q(status=JournalStatus.PROPOSED), decided_by__isnull=False, decided_at__isnull=False),
                name="journal_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status=JournalStatus.POSTED) | ~Q(decided_by=F("proposed_by")),
                name="journal_takes_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status=JournalStatus.POSTED, transaction__isnull=False)
                | Q(~Q(status=JournalStatus.POSTED), transaction__isnull=True),
                name="journal_posted_has_its_transaction",
            ),
            models.CheckConstraint(
                condition=Q(effective_at__gte=strict.EARLIEST, effective_at__lt=strict.LATEST)
                & Q(proposed_at__gte=strict.EARLIEST, proposed_at__lt=strict.LATEST)
                & (Q(decided_at__isnull=True) | Q(decided_at__lt=strict.LATEST)),
                name="journal_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason}"


class JournalLine(models.Model):
    """One account's part, in minor units, debit positive. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    journal = models.ForeignKey(ManualJournal, on_delete=models.PROTECT, related_name="lines")
    n = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=4)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ("journal", "n")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["journal", "n"], name="journal_line_place"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="journal_line_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.amount_minor}"
