"""What does not match, over HTTP."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import check_parameters
from accounts.web.views import ExchangeAPIView
from billing.reconciliation import queries
from billing.reconciliation.serializers import UnmatchedOut


class UnmatchedItems(ExchangeAPIView):
    """Everything that does not match, for those who read the books."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": UnmatchedOut}

    def get(self, request: Request) -> Response:
        """Answer the items, oldest first."""
        check_parameters(request, ())
        return self.answer(queries.unmatched_items(self.actor, now=clock.now()))
