"""Answers that were given, by organisation and key."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation


class IdempotencyRecord(models.Model):
    """The final answer to one keyed request.

    It is written in the transaction of the effect itself, so it exists exactly when the effect
    does; a request still under way is seen by its advisory lock and has no row.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)  # SHA-256 over method, path and body
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=500)
    status_code = models.PositiveSmallIntegerField()
    response = models.TextField()  # the body as it was sent
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=Q(status_code__gte=200, status_code__lt=500), name="idempotency_answer_is_final"
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="idempotency_created_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.key
