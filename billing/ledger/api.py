"""The wallet, holds, entries and the trial balance over HTTP."""

from typing import ClassVar, Final

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import strict
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.web.filters import ChoiceFilter, InstantFilter, TypedIdFilter, check_parameters
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.ledger import queries
from billing.ledger.chart import Code
from billing.ledger.models import Hold, LedgerEntry
from billing.ledger.queries import Funds
from billing.ledger.rules import HoldStatus
from billing.ledger.serializers import HoldOut, LedgerEntryOut, TrialBalanceOut, WalletOut
from catalog.measures.money import EXPONENTS

HOUSE_CURRENCY = "CNY"
BALANCE_PARAMETERS: Final = [
    OpenApiParameter("currency", {"type": "string", "enum": list(EXPONENTS), "default": HOUSE_CURRENCY}),
    OpenApiParameter("until", {"type": "string", "format": "date-time"}),
]


class Wallet(ExchangeAPIView):
    """The funds of the caller's organisation."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BUYING}
    outputs: ClassVar = {"GET": WalletOut}

    def get(self, request: Request) -> Response:
        """Answer what is there, held and available in each currency."""
        check_parameters(request, ())
        organisation_id = self.actor.organisation()
        funds = queries.wallets(organisation_id) or [Funds(HOUSE_CURRENCY, 0, 0, 0, 0)]
        return self.answer({"organisation": organisation_id, "funds": funds})


class EntryFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which entries."""

    code = ChoiceFilter(options=Code, field_name="account__code")
    currency = ChoiceFilter(options=EXPONENTS)
    organisation = TypedIdFilter(prefix="org", field_name="account__organisation_id")
    transaction = TypedIdFilter(prefix="txn", field_name="transaction_id")
    posted_from = InstantFilter(field_name="transaction__posted_at", lookup_expr="gte")
    posted_before = InstantFilter(field_name="transaction__posted_at", lookup_expr="lt")

    class Meta:
        model = LedgerEntry
        fields: ClassVar[list[str]] = []


class LedgerEntries(ListMixin[LedgerEntry], ExchangeAPIView):
    """The entries on the caller's accounts; all entries for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": LedgerEntryOut}
    filterset_class = EntryFilters

    def rows(self) -> QuerySet[LedgerEntry]:
        """Return the entries that the actor may read."""
        return queries.visible_entries(self.actor)


class HoldFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which holds."""

    status = ChoiceFilter(options=HoldStatus, method="by_status")
    project = TypedIdFilter(prefix="prj", field_name="project_id")
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = Hold
        fields: ClassVar[list[str]] = []

    def by_status(self, holds: QuerySet[Hold], name: str, value: str | None) -> QuerySet[Hold]:
        """Return the open or the closed ones."""
        return holds if value is None else holds.filter(closed_at__isnull=value == HoldStatus.OPEN)


class Holds(ListMixin[Hold], ExchangeAPIView):
    """Funds of the caller's organisation that are set aside; all of them for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": HoldOut}
    filterset_class = HoldFilters

    def rows(self) -> QuerySet[Hold]:
        """Return the holds that the actor may read."""
        return queries.visible_holds(self.actor)


class TrialBalance(ExchangeAPIView):
    """Debits and credits by code, in one currency (CNY unless `currency` says otherwise)."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": TrialBalanceOut}

    @extend_schema(parameters=BALANCE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """Answer the balance of everything effective before `until`, or of everything."""
        return self.answer(asked_balance(request))


def asked_balance(request: Request) -> queries.TrialBalance:
    """Return the trial balance that a request asks for; raises Invalid."""
    check_parameters(request, ("currency", "until"))
    currency = request.query_params.get("currency", HOUSE_CURRENCY)
    if currency not in EXPONENTS:
        expected = f"expected one of {', '.join(EXPONENTS)}"
        raise Invalid(f"currency: {expected}.", [FieldProblem("currency", expected, "query")])
    until = request.query_params.get("until")
    try:
        instant = None if until is None else strict.instant(until)
    except strict.Mismatch as error:
        raise Invalid(f"until: {error}", [FieldProblem("until", str(error), "query")]) from error
    return queries.trial_balance(currency, until=instant)
