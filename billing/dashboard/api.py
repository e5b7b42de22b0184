"""The dashboard over HTTP."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.web.filters import check_parameters
from accounts.web.views import ExchangeAPIView
from billing.dashboard import queries
from billing.dashboard.serializers import FiguresOut
from catalog.measures.money import EXPONENTS

CURRENCY = "CNY"


class FinanceFigures(ExchangeAPIView):
    """Cash, what is owed both ways, fees, ages and what is not billed, in one currency (CNY unless named)."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": FiguresOut}

    @extend_schema(
        parameters=[
            OpenApiParameter("currency", {"type": "string", "enum": list(EXPONENTS), "default": CURRENCY}),
        ]
    )
    def get(self, request: Request) -> Response:
        """Answer each block with its sum, and what the ledger has for it."""
        check_parameters(request, ("currency",))
        currency = request.query_params.get("currency", CURRENCY)
        if currency not in EXPONENTS:
            expected = f"expected one of {', '.join(EXPONENTS)}"
            raise Invalid(f"currency: {expected}.", [FieldProblem("currency", expected, "query")])
        return self.answer(queries.figures(self.actor, currency, now=clock.now()))
