"""Stripe's messages over HTTP, for those who read the books."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.webhooks import services
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import EventState
from billing.webhooks.serializers import SetAside, StripeEventOut


class StripeEventFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which messages."""

    state = ChoiceFilter(options=EventState)

    class Meta:
        model = StripeEvent
        fields: ClassVar[list[str]] = []


class StripeEvents(ListMixin[StripeEvent], ExchangeAPIView):
    """The messages that Stripe has sent."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": StripeEventOut}
    filterset_class = StripeEventFilters

    def rows(self) -> QuerySet[StripeEvent]:
        """Return all of them."""
        return StripeEvent.objects.all()


class SetStripeEventAside(ExchangeAPIView):
    """A parked message is of no concern here."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": SetAside}
    outputs: ClassVar = {"POST": StripeEventOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, event_id: UUID) -> Response:
        """Note why."""
        return self.answer(services.set_aside(self.actor, event_id, self.read()["reason"], now=clock.now()))
