"""The API over the reference data."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web import filters
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from catalog.measures import units
from catalog.taxonomy import queries
from catalog.taxonomy.models import ResourceType, ServiceClass
from catalog.taxonomy.rules import Form, ServiceClassCode
from catalog.taxonomy.serializers import ResourceTypeOut, ServiceClassOut, UnitsOut


class ServiceClassFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which service classes."""

    code = filters.ChoiceFilter(options=ServiceClassCode)

    class Meta:
        model = ServiceClass
        fields: ClassVar[list[str]] = []


class ServiceClasses(ListMixin[ServiceClass], ExchangeAPIView):
    """The classes of service, and the forms and units in which each is sold."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": ServiceClassOut}
    filterset_class = ServiceClassFilters
    keyset = "code"

    def rows(self) -> QuerySet[ServiceClass]:
        """Return every class."""
        return queries.service_classes()


class ResourceTypeFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which resource types."""

    code = filters.TextFilter(max_length=64)
    service_class = filters.ChoiceFilter(options=ServiceClassCode, field_name="service_class__code")
    form = filters.ChoiceFilter(options=Form)
    vendor = filters.TextFilter(max_length=80, lookup_expr="iexact")
    min_mem_gb = filters.IntegerFilter(field_name="memory_gb", lookup_expr="gte", min_value=1, max_value=10**6)
    min_tflops = filters.IntegerFilter(field_name="fp16_dense_tflops", lookup_expr="gte", min_value=1, max_value=10**7)

    class Meta:
        model = ResourceType
        fields: ClassVar[list[str]] = []


class ResourceTypes(ListMixin[ResourceType], ExchangeAPIView):
    """What is sold by the unit: accelerators, machines, cores, nodes, stores and models."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": ResourceTypeOut}
    filterset_class = ResourceTypeFilters
    keyset = "code"

    def rows(self) -> QuerySet[ResourceType]:
        """Return every resource type."""
        return queries.resource_types()


class Units(ExchangeAPIView):
    """The units in which capacity and usage are counted, priced and invoiced."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": UnitsOut}

    def get(self, request: Request) -> Response:
        """Answer all of them."""
        filters.check_parameters(request, ())
        return self.answer({"data": list(units.all_units().values())})
