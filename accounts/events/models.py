"""Events."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation


class Event(models.Model):
    """Something that happened to a subject; `organisation` is whom it is told to (None: staff alone)."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    type = models.CharField(max_length=80)  # "order.filled"
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    # Its own index would be the beginning of `event_by_organisation`.
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    payload = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organisation", "-id"], name="event_by_organisation"),
            models.Index(fields=["subject_type", "subject_id", "id"], name="event_by_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(type__regex=r"^[a-z_]+(\.[a-z_]+)+$"), name="event_type_shape"),
            models.CheckConstraint(
                condition=Q(at__gte=strict.EARLIEST, at__lt=strict.LATEST), name="event_at_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.type
