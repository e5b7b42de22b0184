"""Invoices and statements over HTTP."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, InstantFilter, TypedIdFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.serializers import Nothing
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.invoices import claims, corrections, queries
from billing.invoices import services as invoices
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import InvoiceStatus, Resolution, Side
from billing.invoices.serializers import (
    AskWriteOff,
    CreditInvoice,
    DisputeInvoice,
    InvoiceLineOut,
    InvoiceOut,
    OneInvoiceOut,
    ResolveDispute,
)

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


class InvoiceOfContract(ExchangeAPIView):
    """Invoices on demand."""

    required_capability: ClassVar = {"POST": (Capability.TRADE, Capability.OPERATE_BOOKS)}
    inputs: ClassVar = {"POST": Nothing}
    outputs: ClassVar = {"POST": OneInvoiceOut}

    @idempotent
    def post(self, request: Request, contract_id: UUID) -> Response:
        """Invoice what a contract has delivered and reported since its last invoice."""
        self.read()
        return self.answer(invoices.invoice_on_demand(self.actor, contract_id, now=clock.now()))


class CreditInvoiceView(ExchangeAPIView):
    """Credit notes on an invoice."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": CreditInvoice}
    outputs: ClassVar = {"POST": OneInvoiceOut}

    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Take an invoice back, in part or what is left of it; the answer is the credit note."""
        given = self.read()
        note = corrections.credit_invoice(
            self.actor,
            invoice_id,
            reason=given["reason"],
            amounts_minor=CreditInvoice.amounts(given, currency=queries.currency_of(invoice_id)),
            provider_bears_it=given["provider_bears_it"],
            now=clock.now(),
        )
        return self.answer(note)


class DisputeInvoiceView(ExchangeAPIView):
    """The buyer objects to an invoice."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": DisputeInvoice}
    outputs: ClassVar = {"POST": OneInvoiceOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Open a dispute; reminders wait until it is resolved."""
        return self.answer(claims.dispute(self.actor, invoice_id, reason=self.read()["reason"], now=clock.now()))


class ResolveDisputeView(ExchangeAPIView):
    """Finance answers a dispute."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": ResolveDispute}
    outputs: ClassVar = {"POST": OneInvoiceOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Close the dispute with a reason."""
        given = self.read()
        resolution = Resolution(given["resolution"])
        return self.answer(claims.resolve(self.actor, invoice_id, resolution, reason=given["reason"], now=clock.now()))


class AskWriteOffView(ExchangeAPIView):
    """Finance proposes to give a claim up."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": AskWriteOff}
    outputs: ClassVar = {"POST": OneInvoiceOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Propose it; a colleague approves."""
        return self.answer(claims.ask_write_off(self.actor, invoice_id, reason=self.read()["reason"], now=clock.now()))


class ApproveWriteOffView(ExchangeAPIView):
    """A second person gives a claim up."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    inputs: ClassVar = {"POST": Nothing}
    outputs: ClassVar = {"POST": OneInvoiceOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Write off what is outstanding."""
        self.read()
        return self.answer(claims.approve_write_off(self.actor, invoice_id, now=clock.now()))
