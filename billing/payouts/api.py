"""What is owed to providers, over HTTP."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.web.filters import check_parameters
from accounts.web.views import ExchangeAPIView
from billing.payouts import queries
from billing.payouts.serializers import PayablesOut


class Payables(ExchangeAPIView):
    """What is owed to the caller's organisation; to everybody for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_SELLING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": PayablesOut}

    def get(self, request: Request) -> Response:
        """Answer one line for each provider and currency."""
        check_parameters(request, ())
        return self.answer({"data": queries.visible_payables(self.actor)})
