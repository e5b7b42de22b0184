"""The workbench over HTTP: what does not match now, runs, breaks, clearing accounts and the close of a month."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, InstantFilter, TypedIdFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.journals.serializers import entries
from billing.periods import queries as periods
from billing.periods.rules import spelled
from billing.periods.serializers import PeriodOut
from billing.reconciliation import clearing, closing, queries, runs, services
from billing.reconciliation.models import Break, ReconciliationRun
from billing.reconciliation.rules import BreakStatus, ItemKind
from billing.reconciliation.serializers import (
    Assign,
    BreakOut,
    ChecklistOut,
    ClearingOut,
    Explain,
    OneBreakOut,
    ReportOut,
    RunOut,
    Say,
    Settle,
    UnmatchedOut,
)
from billing.usage.models import UsageRejection

WORK = (Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)


class UnmatchedItems(ExchangeAPIView):
    """Everything that does not match, for those who read the books."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": UnmatchedOut}

    def get(self, request: Request) -> Response:
        """Answer the items, oldest first."""
        check_parameters(request, ())
        return self.answer(queries.unmatched_items(self.actor, now=clock.now()))


class Runs(ListMixin[ReconciliationRun], ExchangeAPIView):
    """The looks that were taken at everything."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS, "POST": Capability.OPERATE_BOOKS}
    outputs: ClassVar = {"GET": RunOut, "POST": RunOut}

    def rows(self) -> QuerySet[ReconciliationRun]:
        """Return all runs."""
        return queries.visible_runs(self.actor)

    def model_rows(self) -> QuerySet[ReconciliationRun]:
        """Return an empty set."""
        return ReconciliationRun.objects.none()

    @idempotent
    def post(self, request: Request) -> Response:
        """Look now, and bring the breaks up to date."""
        return self.answer(runs.run(self.actor, now=clock.now()))


class BreakFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which breaks."""

    status = ChoiceFilter(options=BreakStatus)
    kind = ChoiceFilter(options=ItemKind)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")
    owner = TypedIdFilter(prefix="usr", field_name="owner_id")
    since_before = InstantFilter(field_name="since", lookup_expr="lt")

    class Meta:
        model = Break
        fields: ClassVar[list[str]] = []


class Breaks(ListMixin[Break], ExchangeAPIView):
    """The queue of breaks."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": BreakOut}
    filterset_class = BreakFilters

    def rows(self) -> QuerySet[Break]:
        """Return all breaks."""
        return queries.visible_breaks(self.actor)


class OneBreak(ExchangeAPIView):
    """One break with its thread."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": OneBreakOut}

    def get(self, request: Request, break_id: UUID) -> Response:
        """Answer its state, thread and entry."""
        return self.answer(queries.one_break(self.actor, break_id))


class ReportFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Every report."""

    class Meta:
        model = UsageRejection
        fields: ClassVar[list[str]] = []


class BreakReports(ListMixin[Any], ExchangeAPIView):
    """The usage reports that a break stands for."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": ReportOut}
    filterset_class = ReportFilters

    def rows(self) -> QuerySet[Any]:
        """Return those of one break."""
        return queries.reports(self.actor, self.kwargs["break_id"])


class _WorkOnBreak(ExchangeAPIView):
    """A step with one break, answered with the break as it is after it."""

    required_capability: ClassVar = {"POST": WORK}
    outputs: ClassVar = {"POST": OneBreakOut}
    statuses: ClassVar = {"POST": 200}

    def after(self, break_id: UUID) -> Response:
        """Answer the break."""
        return self.answer(queries.one_break(self.actor, break_id))


class CommentOnBreak(_WorkOnBreak):
    """Say something about a break."""

    inputs: ClassVar = {"POST": Say}

    @idempotent
    def post(self, request: Request, break_id: UUID) -> Response:
        """Add a comment to its thread."""
        services.comment(self.actor, break_id, self.read()["text"], now=clock.now())
        return self.after(break_id)


class AssignBreak(_WorkOnBreak):
    """Give a break to somebody."""

    inputs: ClassVar = {"POST": Assign}

    @idempotent
    def post(self, request: Request, break_id: UUID) -> Response:
        """Change its owner."""
        services.assign(self.actor, break_id, self.read().get("owner"), now=clock.now())
        return self.after(break_id)


class ExplainBreak(_WorkOnBreak):
    """A break that needs no entry."""

    inputs: ClassVar = {"POST": Explain}

    @idempotent
    def post(self, request: Request, break_id: UUID) -> Response:
        """Close it with an explanation."""
        services.explain(self.actor, break_id, self.read()["explanation"], now=clock.now())
        return self.after(break_id)


class SettleBreak(_WorkOnBreak):
    """A break that needs an entry."""

    inputs: ClassVar = {"POST": Settle}

    @idempotent
    def post(self, request: Request, break_id: UUID) -> Response:
        """Propose the entry that adjusts the books, or writes the amount off."""
        given: dict[str, Any] = self.read()
        currency = queries.one_break(self.actor, break_id).currency or "CNY"
        lines = entries(given["lines"], currency)
        services.propose_settlement(self.actor, break_id, given["kind"], lines, given["reason"], now=clock.now())
        return self.after(break_id)


class ApproveSettlement(_WorkOnBreak):
    """The second person agrees."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}

    @idempotent
    def post(self, request: Request, break_id: UUID) -> Response:
        """Post the entry, which closes the break."""
        services.approve_settlement(self.actor, break_id, now=clock.now())
        return self.after(break_id)


class DeclineSettlement(_WorkOnBreak):
    """The second person does not agree, or the first has thought better of it."""

    @idempotent
    def post(self, request: Request, break_id: UUID) -> Response:
        """Drop the proposed entry; the break stays open."""
        services.decline_settlement(self.actor, break_id, now=clock.now())
        return self.after(break_id)


class ClearingAccounts(ExchangeAPIView):
    """The accounts that must come back to zero."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": ClearingOut}

    def get(self, request: Request) -> Response:
        """Answer what stands on each, and since when."""
        check_parameters(request, ())
        return self.answer({"data": clearing.clearing_lines(clock.now())})


class Checklist(ExchangeAPIView):
    """What the close of a month asks for."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": ChecklistOut}

    def get(self, request: Request, month: str) -> Response:
        """Answer each check with what is found now."""
        check_parameters(request, ())
        named = periods.month_named(month)
        checks = closing.checklist(self.actor, named, now=clock.now())
        is_closed = periods.is_closed(named)
        may_close = not is_closed and all(check.passes for check in checks)
        found = {"month": spelled(named), "is_closed": is_closed, "may_close": may_close, "checks": checks}
        return self.answer(found)


class ClosePeriod(ExchangeAPIView):
    """The books of a month are done."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": PeriodOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, month: str) -> Response:
        """Close it, if its checklist passes."""
        return self.answer(closing.close(self.actor, periods.month_named(month), now=clock.now()))
