"""Jobs."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from accounts.jobs.rules import JobState


class Job(models.Model):
    """One piece of work, named by kind and key, that must be finished once."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    state = models.CharField(max_length=10)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)  # while running: when another worker may take it over
    attempt = models.PositiveIntegerField(default=0)  # claims so far; also the token of the present claim
    payload = models.JSONField(default=dict)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"], name="job_open", condition=Q(state__in=[JobState.PENDING, JobState.RUNNING])
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "key"], name="job_once"),
            models.CheckConstraint(condition=Q(state__in=list(JobState)), name="job_state_known"),
            models.CheckConstraint(
                condition=Q(state=JobState.RUNNING, lease_until__isnull=False)
                | (~Q(state=JobState.RUNNING) & Q(lease_until__isnull=True)),
                name="job_lease_while_running",
            ),
            models.CheckConstraint(
                condition=Q(state=JobState.DONE, finished_at__isnull=False)
                | (~Q(state=JobState.DONE) & Q(finished_at__isnull=True)),
                name="job_finished_when_done",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gte=strict.EARLIEST, due_at__lt=strict.LATEST), name="job_due_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
