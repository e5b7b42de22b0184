"""Runs of the reconciliation, the breaks they found, and what people wrote about each."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation
from billing.journals.models import ManualJournal
from billing.reconciliation.rules import BreakStatus, NoteKind


class ReconciliationRun(models.Model):
    """One look at everything from outside. Append-only: what it found are the breaks that name it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    found_count = models.PositiveIntegerField()  # items that did not match
    new_count = models.PositiveIntegerField()  # of them not seen before, so a break was opened
    settled_count = models.PositiveIntegerField()  # of them as they were when somebody resolved them
    vanished_count = models.PositiveIntegerField()  # open breaks whose difference is gone since the run before
    cut_kinds = models.JSONField(default=list)  # kinds with more items than a run takes

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(at__gte=strict.EARLIEST, at__lt=strict.LATEST), name="run_in_range"),
            models.CheckConstraint(
                condition=Q(found_count__gte=F("new_count") + F("settled_count")), name="run_counts_add_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class Break(models.Model):
    """A difference that somebody has to deal with: one open one for each kind and subject.

    `difference_gone_at` says that the last run did not find it any more; it stays open until a person says why.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=32)
    subject_key = models.CharField(max_length=120)
    subject_type = models.CharField(max_length=32, blank=True)
    subject_id = models.UUIDField(null=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="breaks")
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    cause = models.CharField(max_length=500)  # a guess
    count = models.PositiveIntegerField(default=1)  # of the rows that it stands for, the subject is the first of them
    since = models.DateTimeField()  # from when it is, or when it was first found
    found_in = models.ForeignKey(ReconciliationRun, on_delete=models.PROTECT, related_name="opened")
    seen_in = models.ForeignKey(ReconciliationRun, on_delete=models.PROTECT, related_name="seen")
    difference_gone_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=12)
    # What would settle it, proposed and not decided yet; then what has settled it.
    journal = models.ForeignKey(ManualJournal, on_delete=models.PROTECT, null=True, related_name="breaks")
    explanation = models.CharField(max_length=500, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject_key"], condition=Q(status=BreakStatus.OPEN), name="break_open_once"
            ),
            models.CheckConstraint(condition=Q(status__in=list(BreakStatus)), name="break_status_known"),
            models.CheckConstraint(condition=Q(kind__regex=r"^[a-z_]+$"), name="break_kind_is_a_word"),
            models.CheckConstraint(condition=Q(count__gte=1), name="break_stands_for_something"),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | Q(currency__regex=r"^[A-Z]{3}$"),
                name="break_amount_has_its_currency",
            ),
            models.CheckConstraint(
                condition=Q(status=BreakStatus.OPEN, resolved_by__isnull=True, resolved_at__isnull=True, explanation="")
                | Q(
                    ~Q(status=BreakStatus.OPEN),
                    ~Q(explanation=""),
                    resolved_at__isnull=False,
                    resolved_by__isnull=False,
                ),
                name="break_resolved_by_somebody_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[BreakStatus.ADJUSTED, BreakStatus.WRITTEN_OFF], journal__isnull=False)
                | Q(status=BreakStatus.EXPLAINED, journal__isnull=True)
                | Q(status=BreakStatus.OPEN),
                name="break_settled_by_a_journal",
            ),
            models.CheckConstraint(
                condition=Q(since__gte=strict.EARLIEST, since__lt=strict.LATEST)
                & (Q(resolved_at__isnull=True) | Q(resolved_at__lt=strict.LATEST))
                & (Q(difference_gone_at__isnull=True) | Q(difference_gone_at__lt=strict.LATEST)),
                name="break_times_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "since"], name="break_by_age"),
            models.Index(fields=["kind", "subject_key", "-id"], name="break_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_key}"


class BreakNote(models.Model):
    """What happened to a break and what people said about it, in order. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    of = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=12)
    text = models.CharField(max_length=1000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=list(NoteKind)), name="break_note_kind_known"),
            models.CheckConstraint(condition=~Q(text=""), name="break_note_says_something"),
            models.CheckConstraint(
                condition=Q(kind__in=[NoteKind.SEEN]) | Q(author__isnull=False), name="break_note_has_its_author"
            ),
            models.CheckConstraint(
                condition=Q(at__gte=strict.EARLIEST, at__lt=strict.LATEST), name="break_note_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.text


class ClosingPolicy(models.Model):
    """From when on which differences keep a month of a currency open. Reference data, append-only."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    currency = models.CharField(max_length=3)
    threshold_minor = models.BigIntegerField()  # open breaks of this amount or more, or of none known, keep it open
    effective_from = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["currency", "effective_from"], name="closing_policy_once"),
            models.CheckConstraint(condition=Q(threshold_minor__gte=0), name="closing_policy_threshold"),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST),
                name="closing_policy_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.threshold_minor}"


class ClearingAccount(models.Model):
    """An account that must come back to zero, and within how many days. Reference data."""

    code = models.CharField(max_length=4, primary_key=True)
    days = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return self.code
