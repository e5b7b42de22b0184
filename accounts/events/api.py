"""The API over events."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from accounts.events import queries
from accounts.events.models import Event
from accounts.events.serializers import EventOut
from accounts.web import filters
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin


class EventFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which events."""

    type = filters.TextFilter(max_length=80)
    after = filters.InstantFilter(field_name="at", lookup_expr="gte")
    before = filters.InstantFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = []


class Events(ListMixin[Event], ExchangeAPIView):
    """What happened to the caller's organisation and its affairs, the newest first."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": EventOut}
    filterset_class = EventFilters

    def rows(self) -> QuerySet[Event]:
        """Return the events that the actor may see."""
        return queries.visible_to(self.actor)
