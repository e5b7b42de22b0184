"""Documents to hand over: PDF and HTML in either language, and the e-invoice."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.template.loader import render_to_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.web.filters import check_parameters
from accounts.web.views import ExchangeAPIView
from billing.documents import cii, pdf, proforma
from billing.documents.sheet import Sheet, sheet
from billing.documents.words import Language
from billing.invoices import queries
from billing.invoices.api import BUYERS, PROVIDERS
from billing.invoices.rules import Side
from billing.payments import queries as top_ups


class InvoicePrint(ExchangeAPIView):
    """One invoice or credit note as PDF or HTML, in `language` en or zh."""

    required_capability: ClassVar = {"GET": BUYERS}
    side: ClassVar[Side] = Side.CUSTOMER
    as_pdf: bool = True

    @extend_schema(
        parameters=[OpenApiParameter("language", {"type": "string", "enum": list(Language), "default": "en"})],
        responses={200: OpenApiTypes.BINARY},
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponse:
        """Answer the printed document."""
        language = asked_language(request)
        return _printed(sheet(queries.one(self.actor, self.side, document_id), language), as_pdf=self.as_pdf)


class ProForma(ExchangeAPIView):
    """What a bank top-up asks for, as PDF or HTML, in `language` en or zh: the amount, and the reference to quote."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    as_pdf: bool = True

    @extend_schema(
        parameters=[OpenApiParameter("language", {"type": "string", "enum": list(Language), "default": "en"})],
        responses={200: OpenApiTypes.BINARY},
    )
    def get(self, request: Request, top_up_id: UUID) -> HttpResponse:
        """Answer the printed pro-forma."""
        language = asked_language(request)
        top_up = top_ups.top_up(self.actor, top_up_id)
        return _printed(proforma.sheet(top_up, language, now=clock.now()), as_pdf=self.as_pdf)


class StatementPrint(InvoicePrint):
    """One self-billing statement as PDF or HTML, in `language` en or zh."""

    required_capability: ClassVar = {"GET": PROVIDERS}
    side: ClassVar[Side] = Side.PROVIDER


class InvoiceXml(ExchangeAPIView):
    """One invoice or credit note as an e-invoice (EN 16931, Cross Industry Invoice)."""

    required_capability: ClassVar = {"GET": BUYERS}
    side: ClassVar[Side] = Side.CUSTOMER

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, document_id: UUID) -> HttpResponse:
        """Answer the XML."""
        check_parameters(request, ())
        document = queries.one(self.actor, self.side, document_id)
        return _file(document.number, cii.document_xml(document), "xml", "application/xml")


class StatementXml(InvoiceXml):
    """One self-billing statement as an e-invoice (EN 16931, Cross Industry Invoice)."""

    required_capability: ClassVar = {"GET": PROVIDERS}
    side: ClassVar[Side] = Side.PROVIDER


def asked_language(request: Request) -> Language:
    """Return the language that a printed document is asked for in; raises Invalid for one there is not."""
    check_parameters(request, ("language",))
    asked = request.query_params.get("language", Language.ENGLISH)
    if asked not in list(Language):
        expected = f"expected one of {', '.join(Language)}, got {asked[:20]!r}"
        raise Invalid(f"language: {expected}.", [FieldProblem("language", expected, "query")])
    return Language(asked)


def _printed(printed: Sheet, *, as_pdf: bool) -> HttpResponse:
    if not as_pdf:
        return HttpResponse(render_to_string("billing/printed.html", {"sheet": printed}))
    return _file(printed.number, pdf.render(printed), "pdf", "application/pdf")


def _file(number: str, content: bytes, ending: str, content_type: str) -> HttpResponse:
    name = f"{number}.{ending}"
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )
