"""The API over offerings: search by need, listing, prices."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, cast
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.web import filters
from accounts.web.idempotent import idempotent
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from catalog.offerings import needs, queries, services
from catalog.offerings.models import Offering, RateCard
from catalog.offerings.needs import Needs
from catalog.offerings.rules import OfferingStatus
from catalog.offerings.serializers import NearMissesOut, NewOffering, NewRateCard, OfferingOut, RateCardOut
from catalog.offerings.services import OfferingSpec
from catalog.taxonomy.rules import ServiceClassCode

NEAR_MISSES = 20


class OfferingFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which offerings: by what they are, and by need. Lists of codes are separated by commas."""

    service_class = filters.ChoiceFilter(options=ServiceClassCode, field_name="resource_type__service_class__code")
    provider = filters.TypedIdFilter(prefix="org", field_name="provider_id")
    site = filters.TypedIdFilter(prefix="sit", field_name="site_id")
    status = filters.ChoiceFilter(options=OfferingStatus)
    model = filters.TextFilter(max_length=1000, method="_as_need")
    region = filters.TextFilter(max_length=1000, method="_as_need")
    interconnect = filters.TextFilter(max_length=200, method="_as_need")
    min_mem_gb = filters.IntegerFilter(min_value=1, max_value=needs.MAX_MEMORY_GB, method="_as_need")
    min_tflops = filters.IntegerFilter(min_value=1, max_value=needs.MAX_TFLOPS, method="_as_need")
    min_green_pct = filters.IntegerFilter(min_value=0, max_value=100, method="_as_need")
    min_security = filters.IntegerFilter(min_value=needs.MIN_SECURITY, max_value=needs.MAX_SECURITY, method="_as_need")
    metro = filters.TextFilter(max_length=needs.MAX_CHOICE_LENGTH, method="_as_need")
    max_latency_ms = filters.IntegerFilter(min_value=1, max_value=needs.MAX_LATENCY_MS, method="_as_need")

    class Meta:
        model = Offering
        fields: ClassVar[list[str]] = []

    def _as_need(self, offerings: QuerySet[Offering], name: str, value: object) -> QuerySet[Offering]:
        """Leave a need alone: all of them are applied together by filter_queryset."""
        return offerings

    def needs(self) -> Needs:
        """Return what the parameters ask of the hardware. Raises Invalid naming each wrong parameter."""
        return _needs(self.form.cleaned_data)

    def filter_queryset(self, queryset: QuerySet[Offering]) -> QuerySet[Offering]:
        """Return the offerings that are asked for and meet every need."""
        return queries.matching(super().filter_queryset(queryset), self.needs())


class NearMissFilters(OfferingFilters):
    """The same parameters, of which the needs do not narrow the offerings."""

    def filter_queryset(self, queryset: QuerySet[Offering]) -> QuerySet[Offering]:
        """Return the offerings that are asked for, whether they meet the needs or not."""
        self.needs()  # refuse what cannot be read
        return cast("QuerySet[Offering]", django_filters.FilterSet.filter_queryset(self, queryset))


def _needs(given: Mapping[str, Any]) -> Needs:
    document = {key: given[key] for key in needs.BOUND_KEYS if given.get(key) is not None}
    document |= {key: given[key].split(",") for key in needs.LIST_KEYS if given.get(key)}
    metro, ms = given.get("metro"), given.get("max_latency_ms")
    if (metro is None) != (ms is None):
        missing = "metro" if metro is None else "max_latency_ms"
        raise Invalid(
            "A bound on latency needs a metro and the milliseconds.",
            [FieldProblem(missing, "expected metro and max_latency_ms together", "query")],
        )
    if metro is not None:
        document["max_latency"] = {"metro": metro, "ms": ms}
    try:
        return Needs.from_document(document, pointer="")
    except Invalid as refused:
        problems = [FieldProblem(item.pointer.split("/")[1], item.detail, "query") for item in refused.problems]
        raise Invalid(refused.detail, problems) from refused


class Offerings(ListMixin[Offering], ExchangeAPIView):
    """Search by need, newest first; and enter an offering."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": Capability.LIST}
    inputs: ClassVar = {"POST": NewOffering}
    outputs: ClassVar = {"GET": OfferingOut, "POST": OfferingOut}
    filterset_class = OfferingFilters

    def rows(self) -> QuerySet[Offering]:
        """Return the offerings that the actor may see."""
        return queries.visible_to(self.actor)

    def prepared(self, page: Iterable[Offering]) -> Iterable[object]:
        """Look up the prices of the whole page at once."""
        return queries.priced(page, clock.now())

    @idempotent
    def post(self, request: Request) -> Response:
        """Enter an offering as a draft."""
        now = clock.now()
        offering = services.create(self.actor, OfferingSpec(**self.read()), now=now)
        return self.answer(queries.one_priced(self.actor, offering.id, now))


class NearMisses(ExchangeAPIView):
    """Listed offerings that do not qualify, with every reason why."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": NearMissesOut}
    filterset_class = NearMissFilters
    pagination_class = None

    def get_queryset(self) -> QuerySet[Offering]:
        """Return what can be bought."""
        return queries.listed()

    def get(self, request: Request) -> Response:
        """Answer the closest ones, fewest unmet needs first."""
        offerings = self.filter_queryset(self.get_queryset())
        asked = NearMissFilters(request.query_params, queryset=offerings)
        assert asked.is_valid(), "the filter backend has refused everything else"
        misses = queries.near_misses(offerings, asked.needs(), limit=NEAR_MISSES)
        return self.answer({"data": misses})


class OneOffering(ExchangeAPIView):
    """One offering."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": OfferingOut}

    def get(self, request: Request, offering_id: UUID) -> Response:
        """Answer it with its prices in force."""
        return self.answer(queries.one_priced(self.actor, offering_id, clock.now()))


class RateCardFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which versions of the prices."""

    from_instant = filters.InstantFilter(field_name="effective_from", lookup_expr="gte")

    class Meta:
        model = RateCard
        fields: ClassVar[list[str]] = []


class RateCards(ListMixin[RateCard], ExchangeAPIView):
    """The prices of an offering, the newest version first."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": Capability.LIST}
    inputs: ClassVar = {"POST": NewRateCard}
    outputs: ClassVar = {"GET": RateCardOut, "POST": RateCardOut}
    filterset_class = RateCardFilters
    keyset = "-version"

    def rows(self) -> QuerySet[RateCard]:
        """Return every version, also of prices to come."""
        return queries.rate_cards(queries.one(self.actor, self.kwargs["offering_id"]))

    @idempotent
    def post(self, request: Request, offering_id: UUID) -> Response:
        """Publish the next version."""
        stated = self.read()
        return self.answer(
            services.publish_rate_card(
                self.actor,
                offering_id,
                stated["items"],
                currency=stated["currency"],
                effective_from=stated.get("effective_from"),
                now=clock.now(),
            )
        )


class _Move(ExchangeAPIView):
    """A change of an offering's state."""

    outputs: ClassVar = {"POST": OfferingOut}
    statuses: ClassVar = {"POST": 200}
    verb: ClassVar[Callable[..., Offering]]

    @idempotent
    def post(self, request: Request, offering_id: UUID) -> Response:
        """Make the change."""
        now = clock.now()
        type(self).verb(self.actor, offering_id, now=now)
        return self.answer(queries.one_priced(self.actor, offering_id, now))


class Submission(_Move):
    """Asking the operator to list an offering."""

    required_capability: ClassVar = {"POST": Capability.LIST}
    verb = staticmethod(services.submit)


class Listing(_Move):
    """Showing an offering to buyers."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    verb = staticmethod(services.list_)


class SendingBack(_Move):
    """Returning a submitted offering to its provider."""

    required_capability: ClassVar = {"POST": Capability.OPERATE}
    verb = staticmethod(services.send_back)


class Suspension(_Move):
    """Taking an offering out of the search."""

    required_capability: ClassVar = {"POST": (Capability.LIST, Capability.OPERATE)}
    verb = staticmethod(services.suspend)


class Retirement(_Move):
    """Ending an offering for good."""

    required_capability: ClassVar = {"POST": (Capability.LIST, Capability.OPERATE)}
    verb = staticmethod(services.retire)
