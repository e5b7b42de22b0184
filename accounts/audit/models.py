"""Who changed what, and the chains that show that nothing was taken out afterwards."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import ids, strict
from accounts.organisations.models import Organisation

SHARDS = 16


class AuditRecord(models.Model):
    """One change of money, rights or state. `text` is the whole record in canonical JSON (RFC 8785)."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    at = models.DateTimeField()
    actor_label = models.CharField(max_length=200)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    text = models.TextField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject_type", "subject_id", "id"], name="audit_by_subject")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(at__gte=strict.EARLIEST, at__lt=strict.LATEST), name="audit_record_at_in_range"
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"


class AuditChain(models.Model):
    """The head of one chain: how many links it has and the hash of the last."""

    shard = models.PositiveSmallIntegerField(primary_key=True)
    n = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(shard__lt=SHARDS), name="audit_chain_shard_known")]

    def __str__(self) -> str:
        return f"chain {self.shard} of {self.n} links"


class AuditLink(models.Model):
    """The place of a record in a chain: `hash` is SHA-256 of `previous_hash` and the record's text.

    Links are made by the database as the transaction commits (see the migration), so that the
    lock of a chain is always the last one taken and never held while something else is awaited.
    """

    record = models.OneToOneField(AuditRecord, on_delete=models.PROTECT, primary_key=True, related_name="link")
    shard = models.PositiveSmallIntegerField()
    n = models.BigIntegerField()
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["shard", "n"], name="audit_link_place_once"),
            models.CheckConstraint(condition=Q(n__gt=0), name="audit_link_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.shard}/{self.n}"
