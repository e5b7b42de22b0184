"""The bank's statements over HTTP."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import TextFilter
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.bank import queries, services
from billing.bank.models import BankEntry, BankStatement
from billing.bank.rules import MAX_BYTES
from billing.bank.serializers import BankEntryOut, BankStatementOut, ImportedOut, ImportStatement


class StatementFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which statements."""

    account = TextFilter(max_length=64)

    class Meta:
        model = BankStatement
        fields: ClassVar[list[str]] = []


class BankStatements(ListMixin[BankStatement], ExchangeAPIView):
    """Statements of the bank that were imported."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS, "POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": ImportStatement}
    outputs: ClassVar = {"GET": BankStatementOut, "POST": ImportedOut}
    filterset_class = StatementFilters
    max_body_bytes: ClassVar = 2 * MAX_BYTES

    def rows(self) -> QuerySet[BankStatement]:
        """Return all of them."""
        return queries.visible_statements(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Import one: all of it, or with one unreadable row nothing; the same file again changes nothing."""
        read = self.read()
        imported = services.import_statement(self.actor, read["content"], file_name=read["file_name"], now=clock.now())
        return self.answer(imported)


class EntryFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Every entry."""

    class Meta:
        model = BankEntry
        fields: ClassVar[list[str]] = []


class BankEntries(ListMixin[BankEntry], ExchangeAPIView):
    """The movements that a statement brought."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": BankEntryOut}
    filterset_class = EntryFilters

    def rows(self) -> QuerySet[BankEntry]:
        """Return the entries of one statement."""
        return queries.entries(self.actor, self.kwargs["statement_id"])
