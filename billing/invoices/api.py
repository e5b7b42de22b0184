"""Invoices and statements over HTTP."""

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
from accounts.web.serializers import InputSerializer
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.invoices import queries
from billing.invoices import services as invoices
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import InvoiceStatus, Side
from billing.invoices.serializers import InvoiceLineOut, InvoiceOut, OneInvoiceOut

BUYERS = (Capability.VIEW_BUYING, Capability.VIEW_BOOKS, Capability.SUPPORT)
PROVIDERS = (Capability.VIEW_SELLING, Capability.VIEW_BOOKS, Capability.SUPPORT)


class InvoiceFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which documents."""

    status = ChoiceFilter(options=[status for status in InvoiceStatus if status is not InvoiceStatus.DRAFT])
    contract = TypedIdFilter(prefix="ctr", field_name="contract_id")
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")
    project = TypedIdFilter(prefix="prj", field_name="project_id")
    issued_from = InstantFilter(field_name="issued_at", lookup_expr="gte")
    issued_before = InstantFilter(field_name="issued_at", lookup_expr="lt")

    class Meta:
        model = Invoice
        fields: ClassVar[list[str]] = []


class LineFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Lines have no filters."""

    class Meta:
        model = InvoiceLine
        fields: ClassVar[list[str]] = []


class Invoices(ListMixin[Invoice], ExchangeAPIView):
    """The invoices and credit notes of the caller's organisation."""

    required_capability: ClassVar = {"GET": BUYERS}
    outputs: ClassVar = {"GET": InvoiceOut}
    filterset_class = InvoiceFilters

    def rows(self) -> QuerySet[Invoice]:
        """Return the invoices that the actor may see."""
        return queries.visible_to(self.actor, Side.CUSTOMER)


class OneInvoice(ExchangeAPIView):
    """One invoice with its lines and taxes."""

    required_capability: ClassVar = {"GET": BUYERS}
    outputs: ClassVar = {"GET": OneInvoiceOut}

    def get(self, request: Request, invoice_id: UUID) -> Response:
        """Answer the invoice."""
        check_parameters(request, ())
        return self.answer(queries.one(self.actor, Side.CUSTOMER, invoice_id))


class InvoiceLines(ListMixin[InvoiceLine], ExchangeAPIView):
    """The lines of one invoice, a page at a time."""

    required_capability: ClassVar = {"GET": BUYERS}
    outputs: ClassVar = {"GET": InvoiceLineOut}
    filterset_class = LineFilters
    keyset = "n"

    def rows(self) -> QuerySet[InvoiceLine]:
        """Return the lines of an invoice that the actor may see."""
        return queries.lines(self.actor, Side.CUSTOMER, self.kwargs["invoice_id"])


class Statements(ListMixin[Invoice], ExchangeAPIView):
    """The self-billing statements of the caller's organisation."""

    required_capability: ClassVar = {"GET": PROVIDERS}
    outputs: ClassVar = {"GET": InvoiceOut}
    filterset_class = InvoiceFilters

    def rows(self) -> QuerySet[Invoice]:
        """Return the statements that the actor may see."""
        return queries.visible_to(self.actor, Side.PROVIDER)


class OneStatement(ExchangeAPIView):
    """One statement with its lines and taxes."""

    required_capability: ClassVar = {"GET": PROVIDERS}
    outputs: ClassVar = {"GET": OneInvoiceOut}

    def get(self, request: Request, statement_id: UUID) -> Response:
        """Answer the statement."""
        check_parameters(request, ())
        return self.answer(queries.one(self.actor, Side.PROVIDER, statement_id))


class StatementLines(ListMixin[InvoiceLine], ExchangeAPIView):
    """The lines of one statement, a page at a time."""

    required_capability: ClassVar = {"GET": PROVIDERS}
    outputs: ClassVar = {"GET": InvoiceLineOut}
    filterset_class = LineFilters
    keyset = "n"

    def rows(self) -> QuerySet[InvoiceLine]:
        """Return the lines of a statement that the actor may see."""
        return queries.lines(self.actor, Side.PROVIDER, self.kwargs["statement_id"])


class NothingToSay(InputSerializer):
    """An empty object: the address says it all."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return nothing."""
        return attrs


class InvoiceOfContract(ExchangeAPIView):
    """Invoices on demand."""

    required_capability: ClassVar = {"POST": (Capability.TRADE, Capability.OPERATE_BOOKS)}
    inputs: ClassVar = {"POST": NothingToSay}
    outputs: ClassVar = {"POST": OneInvoiceOut}

    @idempotent
    def post(self, request: Request, contract_id: UUID) -> Response:
        """Invoice what a contract has delivered and reported since its last invoice."""
        self.read()
        return self.answer(invoices.invoice_on_demand(self.actor, contract_id, now=clock.now()))
