"""Budgets, credit limits and thresholds over HTTP."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, TypedIdFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.budgets.models import ProjectBudget
from billing.wallets import queries, services
from billing.wallets.models import CreditLimitChange
from billing.wallets.rules import ChangeStatus
from billing.wallets.serializers import (
    BudgetOut,
    CreditChangeOut,
    ProposeCredit,
    SetBudget,
    SetThresholds,
    ThresholdsOut,
)


class BudgetFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which budgets."""

    project = TypedIdFilter(prefix="prj", field_name="project_id")

    class Meta:
        model = ProjectBudget
        fields: ClassVar[list[str]] = []


class Budgets(ListMixin[ProjectBudget], ExchangeAPIView):
    """What the projects of the caller's organisation may spend."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BUYING}
    outputs: ClassVar = {"GET": BudgetOut}
    filterset_class = BudgetFilters

    def rows(self) -> QuerySet[ProjectBudget]:
        """Return the organisation's budgets."""
        return queries.budgets(self.actor)


class BudgetOfProject(ExchangeAPIView):
    """What one project may spend, as a hard stop for its orders."""

    required_capability: ClassVar = {"POST": Capability.MANAGE_MEMBERS}
    inputs: ClassVar = {"POST": SetBudget}
    outputs: ClassVar = {"POST": BudgetOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, project_id: UUID) -> Response:
        """Set it; everything that the project has spent counts."""
        return self.answer(services.set_budget(self.actor, project_id, self.read()["limit"], now=clock.now()))


class Thresholds(ExchangeAPIView):
    """Below which amounts the caller's organisation is warned."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BUYING, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": SetThresholds}
    outputs: ClassVar = {"GET": ThresholdsOut, "POST": ThresholdsOut}
    statuses: ClassVar = {"POST": 200}

    def get(self, request: Request) -> Response:
        """Answer all of them."""
        check_parameters(request, ())
        return self.answer({"thresholds": queries.thresholds(self.actor)})

    @idempotent
    def post(self, request: Request) -> Response:
        """Set them in place of those before."""
        rows = services.set_thresholds(self.actor, self.read()["thresholds"], now=clock.now())
        return self.answer({"thresholds": rows})


class CreditFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which changes."""

    status = ChoiceFilter(options=ChangeStatus)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = CreditLimitChange
        fields: ClassVar[list[str]] = []


class CreditChanges(ListMixin[CreditLimitChange], ExchangeAPIView):
    """Credit limits that were proposed, each decided on by a second person."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS, "POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": ProposeCredit}
    outputs: ClassVar = {"GET": CreditChangeOut, "POST": CreditChangeOut}
    filterset_class = CreditFilters

    def rows(self) -> QuerySet[CreditLimitChange]:
        """Return all of them."""
        return queries.credit_changes(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Propose one."""
        read = self.read()
        change = services.propose_credit(
            self.actor, read["organisation"], read["limit"], reason=read["reason"], now=clock.now()
        )
        return self.answer(change)


class ApproveCredit(ExchangeAPIView):
    """A second person agrees to a credit limit."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": CreditChangeOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, change_id: UUID) -> Response:
        """Let it take effect."""
        return self.answer(services.decide_credit(self.actor, change_id, is_approved=True, now=clock.now()))


class DeclineCredit(ExchangeAPIView):
    """A second person does not agree to a credit limit."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": CreditChangeOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, change_id: UUID) -> Response:
        """Leave it as it was."""
        return self.answer(services.decide_credit(self.actor, change_id, is_approved=False, now=clock.now()))
