"""The API over the audit trail."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from accounts.actors.actor import Capability
from accounts.audit import queries
from accounts.audit.models import AuditRecord
from accounts.audit.serializers import AuditRecordOut
from accounts.web import filters
from accounts.web.views import ExchangeAPIView, ListMixin


class AuditFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which records."""

    action = filters.TextFilter(max_length=80)
    subject_type = filters.TextFilter(max_length=40)

    class Meta:
        model = AuditRecord
        fields: ClassVar[list[str]] = []


class AuditRecords(ListMixin[AuditRecord], ExchangeAPIView):
    """Who changed what: an administrator sees the organisation's own records, staff all of them."""

    required_capability: ClassVar = {
        "GET": (Capability.MANAGE_MEMBERS, Capability.OPERATE, Capability.SUPPORT, Capability.VIEW_BOOKS)
    }
    outputs: ClassVar = {"GET": AuditRecordOut}
    filterset_class = AuditFilters

    def rows(self) -> QuerySet[AuditRecord]:
        """Return the records that the actor may see."""
        return queries.visible_to(self.actor)
