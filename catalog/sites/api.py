"""The API over hubs, metros and sites."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web import filters
from accounts.web.idempotent import idempotent
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from catalog.sites import queries, services
from catalog.sites.models import Hub, Metro, Site
from catalog.sites.rules import GridConnection, SiteStatus
from catalog.sites.serializers import HubOut, LatencyOut, MetroOut, NewLatency, NewSite, SiteOut
from catalog.sites.services import SiteSpec


class HubFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which hubs."""

    code = filters.TextFilter(max_length=32)

    class Meta:
        model = Hub
        fields: ClassVar[list[str]] = []


class Hubs(ListMixin[Hub], ExchangeAPIView):
    """The hubs of the national network with their clusters, and regions outside of it."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": HubOut}
    filterset_class = HubFilters
    keyset = "code"

    def rows(self) -> QuerySet[Hub]:
        """Return every hub."""
        return queries.hubs()


class MetroFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which metros."""

    code = filters.TextFilter(max_length=32)

    class Meta:
        model = Metro
        fields: ClassVar[list[str]] = []


class Metros(ListMixin[Metro], ExchangeAPIView):
    """The cities that latency is stated to."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": MetroOut}
    filterset_class = MetroFilters
    keyset = "code"

    def rows(self) -> QuerySet[Metro]:
        """Return every metro."""
        return queries.metros()


class SiteFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which sites."""

    code = filters.TextFilter(max_length=32)
    hub = filters.TextFilter(max_length=32, field_name="hub__code")
    status = filters.ChoiceFilter(options=SiteStatus)
    min_green_pct = filters.IntegerFilter(field_name="green_percent", lookup_expr="gte", min_value=0, max_value=100)
    min_security = filters.IntegerFilter(field_name="security_level", lookup_expr="gte", min_value=2, max_value=4)

    class Meta:
        model = Site
        fields: ClassVar[list[str]] = []


class Sites(ListMixin[Site], ExchangeAPIView):
    """Data centres: their hub, energy, security and latency."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": (Capability.LIST, Capability.OPERATE)}
    inputs: ClassVar = {"POST": NewSite}
    outputs: ClassVar = {"GET": SiteOut, "POST": SiteOut}
    filterset_class = SiteFilters

    def rows(self) -> QuerySet[Site]:
        """Return the sites that the actor may see."""
        return queries.visible_to(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Propose a site."""
        stated = self.read()
        stated["grid_connection"] = GridConnection(stated.get("grid_connection", GridConnection.NONE))
        site = services.propose(self.actor, SiteSpec(**stated), now=clock.now())
        return self.answer(queries.one(self.actor, site.id))


class OneSite(ExchangeAPIView):
    """One site."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": SiteOut}

    def get(self, request: Request, site_id: UUID) -> Response:
        """Answer it."""
        return self.answer(queries.one(self.actor, site_id))


class _Move(ExchangeAPIView):
    """A change of a site's state."""

    outputs: ClassVar = {"POST": SiteOut}
    statuses: ClassVar = {"POST": 200}
    verb: ClassVar[Callable[..., Site]]

    @idempotent
    def post(self, request: Request, site_id: UUID) -> Response:
        """Make the change."""
        type(self).verb(self.actor, site_id, now=clock.now())
        return self.answer(queries.one(self.actor, site_id))


class Submission(_Move):
    """Asking the operator to list a site."""

    required_capability: ClassVar = {"POST": (Capability.LIST, Capability.OPERATE)}
    verb = staticmethod(services.submit)


class Listing(_Move):
    """Showing a site to everyone."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    verb = staticmethod(services.list_)


class Suspension(_Move):
    """Taking a site out of the search."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    verb = staticmethod(services.suspend)


class Retirement(_Move):
    """Ending a site for good."""

    required_capability: ClassVar = {"POST": (Capability.LIST, Capability.OPERATE)}
    verb = staticmethod(services.retire)


class Latencies(ExchangeAPIView):
    """Measured latencies of a site."""

    required_capability: ClassVar = {"POST": (Capability.LIST, Capability.OPERATE)}
    inputs: ClassVar = {"POST": NewLatency}
    outputs: ClassVar = {"POST": LatencyOut}

    @idempotent
    def post(self, request: Request, site_id: UUID) -> Response:
        """State a latency; a later figure for the same metro replaces it."""
        stated = self.read()
        latency = stated.pop("latency_ms")
        metro = stated.pop("metro")
        return self.answer(services.state_latency(self.actor, site_id, metro, latency, now=clock.now(), **stated))
