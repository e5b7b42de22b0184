"""API keys as they are kept: without the secret."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.keys.rules import LONGEST_LIFE, Scope
from accounts.organisations.models import Organisation, User


class ApiKey(models.Model):
    """A credential of an organisation; only the SHA-256 of its text is stored."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    public_id = models.CharField(max_length=12, unique=True)  # the readable part, by which a key is found
    secret_sha256 = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=10))
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(scopes__contained_by=list(Scope)), name="api_key_scopes_known"),
            models.CheckConstraint(condition=Q(scopes__len__gte=1), name="api_key_has_a_scope"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + LONGEST_LIFE),
                name="api_key_life_at_most_a_year",
            ),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, expires_at__lt=strict.LATEST),
                name="api_key_times_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
