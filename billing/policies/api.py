"""The rules that money goes by over HTTP: tax rates, and changes that two people make."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, TextFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.rows import RowResultsOut
from accounts.web.serializers import Nothing
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from billing.contracts.models import TaxRate
from billing.policies import queries, services
from billing.policies.models import PolicyChange
from billing.policies.rules import MAX_FILE_BYTES, ChangeStatus, KindName
from billing.policies.serializers import PolicyChangeOut, PolicyTablesOut, ProposeChanges, TaxRateOut


class TaxRateFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which rates."""

    jurisdiction = TextFilter(max_length=2)
    category = TextFilter(max_length=2)

    class Meta:
        model = TaxRate
        fields: ClassVar[list[str]] = []


class TaxRates(ListMixin[TaxRate], ExchangeAPIView):
    """The tax table."""

    required_capability: ClassVar = {"GET": ANY_ACTOR}
    outputs: ClassVar = {"GET": TaxRateOut}
    filterset_class = TaxRateFilters

    def rows(self) -> QuerySet[TaxRate]:
        """Return every rate: they are public."""
        return queries.tax_rates()


class Policies(ExchangeAPIView):
    """The rules by date."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": PolicyTablesOut}

    def get(self, request: Request) -> Response:
        """Answer every table with every row."""
        check_parameters(request, ())
        return self.answer({"tables": queries.tables(self.actor)})


class ChangeFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which changes."""

    status = ChoiceFilter(options=ChangeStatus)
    kind = ChoiceFilter(options=KindName)

    class Meta:
        model = PolicyChange
        fields: ClassVar[list[str]] = []


class PolicyChanges(ListMixin[PolicyChange], ExchangeAPIView):
    """Changes of the rules that were proposed."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS, "POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": ProposeChanges}
    outputs: ClassVar = {"GET": PolicyChangeOut, "POST": RowResultsOut}
    statuses: ClassVar = {"POST": 200}
    filterset_class = ChangeFilters
    max_body_bytes: ClassVar = 2 * MAX_FILE_BYTES

    def rows(self) -> QuerySet[PolicyChange]:
        """Return all of them."""
        return queries.changes(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Propose each row by itself: good rows are kept, and every row has a result."""
        said, now = self.read(), clock.now()
        if "content" in said:
            rows = services.propose_csv(self.actor, said["kind"], said["content"], reason=said["reason"], now=now)
        else:
            rows = services.propose_objects(self.actor, said["kind"], said["rows"], reason=said["reason"], now=now)
        return self.answer({"rows": rows})


class ApproveChange(ExchangeAPIView):
    """A second person agrees to a change of the rules."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    inputs: ClassVar = {"POST": Nothing}
    outputs: ClassVar = {"POST": PolicyChangeOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, change_id: UUID) -> Response:
        """Let the row in force from its day on."""
        self.read()
        return self.answer(services.decide(self.actor, change_id, is_approved=True, now=clock.now()))


class DeclineChange(ExchangeAPIView):
    """A second person does not agree to a change of the rules."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    inputs: ClassVar = {"POST": Nothing}
    outputs: ClassVar = {"POST": PolicyChangeOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, change_id: UUID) -> Response:
        """Leave the rules as they are."""
        self.read()
        return self.answer(services.decide(self.actor, change_id, is_approved=False, now=clock.now()))
