"""Top-ups, bank receipts and payment methods over HTTP."""

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
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.gateway import stripe
from billing.payments import queries, services, suspense
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import ReceiptStatus, TopUpMethod, TopUpStatus
from billing.payments.serializers import (
    BankLineInput,
    BankReceiptOut,
    MatchReceipt,
    PaymentMethodsOut,
    RequestTopUp,
    ReturnReceipt,
    SplitReceipt,
    TopUpOut,
)


class TopUpFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which top-ups."""

    status = ChoiceFilter(options=TopUpStatus)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")
    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = TopUp
        fields: ClassVar[list[str]] = []


class TopUps(ListMixin[TopUp], ExchangeAPIView):
    """The top-ups of the caller's organisation; everybody's for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS), "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": RequestTopUp}
    outputs: ClassVar = {"GET": TopUpOut, "POST": TopUpOut}
    filterset_class = TopUpFilters

    def rows(self) -> QuerySet[TopUp]:
        """Return the top-ups that the actor may see."""
        return queries.visible_top_ups(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Announce a bank transfer; the answer carries the reference to quote."""
        top_up = services.request_top_up(self.actor, self.read()["amount"], now=clock.now())
        return self.answer(top_up)


class OneTopUp(ExchangeAPIView):
    """One top-up."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": TopUpOut}

    def get(self, request: Request, top_up_id: UUID) -> Response:
        """Answer its state."""
        return self.answer(queries.top_up(self.actor, top_up_id))


class ConfirmTopUp(ExchangeAPIView):
    """Finance has found the money at the bank."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": BankLineInput}
    outputs: ClassVar = {"POST": TopUpOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, top_up_id: UUID) -> Response:
        """Credit the wallet; an amount other than the announced one is refused with both."""
        line = BankLineInput.line(self.read())
        services.confirm(self.actor, top_up_id, line, now=clock.now())
        return self.answer(queries.top_up(self.actor, top_up_id))


class CancelTopUp(ExchangeAPIView):
    """The money will not come."""

    required_capability: ClassVar = {"POST": (Capability.TRADE, Capability.OPERATE_BOOKS)}
    outputs: ClassVar = {"POST": TopUpOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, top_up_id: UUID) -> Response:
        """Withdraw a top-up that is still awaited."""
        services.cancel_top_up(self.actor, top_up_id, now=clock.now())
        return self.answer(queries.top_up(self.actor, top_up_id))


class ReturnTopUp(ExchangeAPIView):
    """The bank has taken the money back."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    outputs: ClassVar = {"POST": TopUpOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, top_up_id: UUID) -> Response:
        """Take a confirmed top-up out of the wallet again."""
        services.return_top_up(self.actor, top_up_id, now=clock.now())
        return self.answer(queries.top_up(self.actor, top_up_id))


class ReceiptFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which receipts."""

    status = ChoiceFilter(options=ReceiptStatus)

    class Meta:
        model = BankReceipt
        fields: ClassVar[list[str]] = []


class BankReceipts(ListMixin[BankReceipt], ExchangeAPIView):
    """What the bank shows as received."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS, "POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": BankLineInput}
    outputs: ClassVar = {"GET": BankReceiptOut, "POST": BankReceiptOut}
    filterset_class = ReceiptFilters

    def rows(self) -> QuerySet[BankReceipt]:
        """Return all receipts."""
        return queries.visible_receipts(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Record one; it is matched to the top-up it quotes, or waits in suspense."""
        receipt = services.record_receipt(self.actor, BankLineInput.line(self.read()), now=clock.now())
        return self.answer(receipt)


class MatchBankReceipt(ExchangeAPIView):
    """Finance has found out whose money it is."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": MatchReceipt}
    outputs: ClassVar = {"POST": BankReceiptOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, receipt_id: UUID) -> Response:
        """Credit the wallet of a top-up of the same amount."""
        top_up_id = self.read()["top_up"]
        return self.answer(services.match_receipt(self.actor, receipt_id, top_up_id=top_up_id, now=clock.now()))


class SplitBankReceipt(ExchangeAPIView):
    """One transfer pays several top-ups."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": SplitReceipt}
    outputs: ClassVar = {"POST": BankReceiptOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, receipt_id: UUID) -> Response:
        """Credit the wallets of several top-ups that add up to it."""
        return self.answer(suspense.split(self.actor, receipt_id, self.read()["top_ups"], now=clock.now()))


class ReturnBankReceipt(ExchangeAPIView):
    """Money that nobody has announced was sent back to its payer."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": ReturnReceipt}
    outputs: ClassVar = {"POST": BankReceiptOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, receipt_id: UUID) -> Response:
        """Note that it went back."""
        reason = self.read()["reason"]
        return self.answer(suspense.give_back(self.actor, receipt_id, reason=reason, now=clock.now()))


class PaymentMethods(ExchangeAPIView):
    """How customers can pay in."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    outputs: ClassVar = {"GET": PaymentMethodsOut}

    def get(self, request: Request) -> Response:
        """Answer each way, and whether it can be used now."""
        check_parameters(request, ())
        card = stripe.from_settings().account_status()
        methods = [
            {
                "method": TopUpMethod.BANK_TRANSFER.value,
                "available": True,
                "detail": "Request a top-up and quote its reference.",
            },
            {"method": "card", "available": card.available, "detail": card.detail},
        ]
        return self.answer({"data": methods})
