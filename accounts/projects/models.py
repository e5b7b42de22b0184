"""Projects of an organisation."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation


class Project(models.Model):
    """A heading under which an organisation orders and counts its costs."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="projects")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "code"], name="project_code_once"),
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z0-9][a-z0-9-]*$"), name="project_code_shape"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="project_created_in_range",
            ),
            models.CheckConstraint(
                condition=Q(archived_at__isnull=True)
                | Q(archived_at__gte=F("created_at"), archived_at__lt=strict.LATEST),
                name="project_archived_after_creation",
            ),
        ]

    def __str__(self) -> str:
        return self.code
