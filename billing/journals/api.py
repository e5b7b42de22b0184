"""Entries by hand over HTTP."""

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
from billing.journals import queries, services
from billing.journals.models import ManualJournal
from billing.journals.rules import JournalKind, JournalStatus
from billing.journals.serializers import JournalOut, ProposeJournal


class JournalFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which entries."""

    status = ChoiceFilter(options=JournalStatus)
    kind = ChoiceFilter(options=JournalKind)

    class Meta:
        model = ManualJournal
        fields: ClassVar[list[str]] = []


class Journals(ListMixin[ManualJournal], ExchangeAPIView):
    """Every entry by hand, for those who read the books."""

    required_capability: ClassVar = {
        "GET": Capability.VIEW_BOOKS,
        "POST": (Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS),
    }
    inputs: ClassVar = {"POST": ProposeJournal}
    outputs: ClassVar = {"GET": JournalOut, "POST": JournalOut}
    filterset_class = JournalFilters

    def rows(self) -> QuerySet[ManualJournal]:
        """Return all entries."""
        return queries.visible_journals(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Propose one; a colleague posts it."""
        given = self.read()
        journal = services.propose(
            self.actor,
            given["kind"],
            given["lines"],
            currency=given["currency"],
            reason=given["reason"],
            effective_at=given["effective_at"],
            now=clock.now(),
        )
        return self.answer(queries.journal(self.actor, journal.id))


class OneJournal(ExchangeAPIView):
    """One entry by hand."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": JournalOut}

    def get(self, request: Request, journal_id: UUID) -> Response:
        """Answer its lines and state."""
        return self.answer(queries.journal(self.actor, journal_id))


class ApproveJournal(ExchangeAPIView):
    """The second person agrees."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": JournalOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, journal_id: UUID) -> Response:
        """Post a colleague's entry."""
        services.approve(self.actor, journal_id, now=clock.now())
        return self.answer(queries.journal(self.actor, journal_id))


class DeclineJournal(ExchangeAPIView):
    """The second person does not agree, or the first has thought better of it."""

    required_capability: ClassVar = {"POST": (Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)}
    outputs: ClassVar = {"POST": JournalOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, journal_id: UUID) -> Response:
        """Refuse a proposed entry."""
        services.decline(self.actor, journal_id, now=clock.now())
        return self.answer(queries.journal(self.actor, journal_id))
