"""Audit records as the API shows them."""

import json
from typing import Any

from rest_framework import serializers

from accounts.audit.models import AuditRecord
from accounts.web.serializers import OutputSerializer, SpelledId


class AuditRecordOut(OutputSerializer):
    """One change: who, what, when, and the fields before and after."""

    id = SpelledId("aud")
    at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_label")
    action = serializers.CharField()
    subject_type = serializers.CharField()
    subject_id = serializers.UUIDField()
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()

    def get_before(self, record: AuditRecord) -> dict[str, Any] | None:
        """Return the changed fields as they were."""
        return json.loads(record.text)["before"]  # type: ignore[no-any-return]

    def get_after(self, record: AuditRecord) -> dict[str, Any] | None:
        """Return the changed fields as they became."""
        return json.loads(record.text)["after"]  # type: ignore[no-any-return]
