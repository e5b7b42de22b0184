"""Closed months and requests to reopen them over HTTP; the close itself is the reconciliation's."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.periods import queries, services
from billing.periods.models import AccountingPeriod, PeriodReopening
from billing.periods.serializers import AskReopening, PeriodOut, ReopeningOut


class Periods(ListMixin[AccountingPeriod], ExchangeAPIView):
    """The months that have been closed."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": PeriodOut}

    def rows(self) -> QuerySet[AccountingPeriod]:
        """Return all of them."""
        return queries.visible_periods(self.actor)

    def model_rows(self) -> QuerySet[AccountingPeriod]:
        """Return an empty set."""
        return AccountingPeriod.objects.none()


class Reopenings(ListMixin[PeriodReopening], ExchangeAPIView):
    """The requests to reopen months."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": ReopeningOut}

    def rows(self) -> QuerySet[PeriodReopening]:
        """Return all of them."""
        return queries.visible_reopenings(self.actor)

    def model_rows(self) -> QuerySet[PeriodReopening]:
        """Return an empty set."""
        return PeriodReopening.objects.none()


class AskToReopen(ExchangeAPIView):
    """Something has to take effect in a closed month."""

    required_capability: ClassVar = {"POST": (Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)}
    inputs: ClassVar = {"POST": AskReopening}
    outputs: ClassVar = {"POST": ReopeningOut}

    @idempotent
    def post(self, request: Request, month: str) -> Response:
        """Ask; a colleague decides."""
        reason = self.read()["reason"]
        return self.answer(services.request_reopening(self.actor, queries.month_named(month), reason, now=clock.now()))


class ApproveReopening(ExchangeAPIView):
    """The second person agrees."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": ReopeningOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, reopening_id: UUID) -> Response:
        """Open the month again."""
        return self.answer(services.decide_reopening(self.actor, reopening_id, approve=True, now=clock.now()))


class DeclineReopening(ExchangeAPIView):
    """The second person does not agree."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": ReopeningOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, reopening_id: UUID) -> Response:
        """Leave the month closed."""
        return self.answer(services.decide_reopening(self.actor, reopening_id, approve=False, now=clock.now()))
