"""Card payments, saved methods and refunds over HTTP."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, TypedIdFilter
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.cards import methods, queries, refunds, services
from billing.cards.models import CardPayment, CardRefund, SavedMethod
from billing.cards.rules import PaymentStatus, RefundStatus
from billing.cards.serializers import (
    AutopayOut,
    CardMethodOut,
    CardPaymentOut,
    ChooseMethod,
    MethodSetupOut,
    RefundOut,
    RequestCardPayment,
    RequestRefund,
)

_READERS = (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)


class CardPaymentFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which card payments."""

    status = ChoiceFilter(options=PaymentStatus)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = CardPayment
        fields: ClassVar[list[str]] = []


class CardPayments(ListMixin[CardPayment], ExchangeAPIView):
    """The card payments of the caller's organisation; everybody's for those who read the books."""

    required_capability: ClassVar = {"GET": _READERS, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": RequestCardPayment}
    outputs: ClassVar = {"GET": CardPaymentOut, "POST": CardPaymentOut}
    filterset_class = CardPaymentFilters

    def rows(self) -> QuerySet[CardPayment]:
        """Return the payments that the actor may see."""
        return queries.visible_payments(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a page at Stripe to pay into the wallet on; look at the payment for its address."""
        return_to = request.build_absolute_uri(reverse("wallet"))
        amount = self.read()["amount"]
        return self.answer(services.request_top_up(self.actor, amount, return_to=return_to, now=clock.now()))


class OneCardPayment(ExchangeAPIView):
    """One card payment."""

    required_capability: ClassVar = {"GET": _READERS}
    outputs: ClassVar = {"GET": CardPaymentOut}

    def get(self, request: Request, payment_id: UUID) -> Response:
        """Answer its state, and where to pay."""
        return self.answer(queries.payment(self.actor, payment_id))


class CollectInvoice(ExchangeAPIView):
    """What is open of an invoice is collected from the saved method that its buyer has chosen."""

    required_capability: ClassVar = {"POST": (Capability.TRADE, Capability.OPERATE_BOOKS)}
    outputs: ClassVar = {"POST": CardPaymentOut}

    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Have it collected now."""
        return self.answer(services.collect_invoice(self.actor, invoice_id, now=clock.now()))


class CardMethodFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Every saved method."""

    class Meta:
        model = SavedMethod
        fields: ClassVar[list[str]] = []


class CardMethods(ListMixin[SavedMethod], ExchangeAPIView):
    """The cards that Stripe keeps for the caller's organisation."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BUYING}
    outputs: ClassVar = {"GET": CardMethodOut}
    filterset_class = CardMethodFilters

    def rows(self) -> QuerySet[SavedMethod]:
        """Return those that are not removed."""
        return queries.methods(self.actor)


class MethodSetups(ExchangeAPIView):
    """A card is left at Stripe for later."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    outputs: ClassVar = {"POST": MethodSetupOut}

    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a page at Stripe to leave a card on; look at the set-up for its address."""
        return_to = request.build_absolute_uri(reverse("card_methods"))
        return self.answer(methods.request_setup(self.actor, currency="CNY", return_to=return_to, now=clock.now()))


class OneMethodSetup(ExchangeAPIView):
    """One page where a card is left."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BUYING}
    outputs: ClassVar = {"GET": MethodSetupOut}

    def get(self, request: Request, setup_id: UUID) -> Response:
        """Answer its state and address."""
        return self.answer(queries.setup(self.actor, setup_id))


class RemoveMethod(ExchangeAPIView):
    """A saved card is forgotten."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    outputs: ClassVar = {"POST": CardMethodOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, method_id: UUID) -> Response:
        """Forget it here and at Stripe."""
        return self.answer(methods.remove(self.actor, method_id, now=clock.now()))


class Autopay(ExchangeAPIView):
    """Which saved card invoices are collected from."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": ChooseMethod}
    outputs: ClassVar = {"POST": AutopayOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request) -> Response:
        """Choose one, or with null none."""
        return self.answer(methods.choose_for_invoices(self.actor, self.read()["method"], now=clock.now()))


class RefundsOfPayment(ExchangeAPIView):
    """Money of a card payment goes back."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": RequestRefund}
    outputs: ClassVar = {"POST": RefundOut}

    @idempotent
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Ask for it; above the limit it waits for a second person."""
        read = self.read()
        refund = refunds.request(self.actor, payment_id, read["amount"], reason=read["reason"], now=clock.now())
        return self.answer(refund)


class RefundFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which refunds."""

    status = ChoiceFilter(options=RefundStatus)

    class Meta:
        model = CardRefund
        fields: ClassVar[list[str]] = []


class Refunds(ListMixin[CardRefund], ExchangeAPIView):
    """Refunds of the caller's organisation; everybody's for those who read the books."""

    required_capability: ClassVar = {"GET": _READERS}
    outputs: ClassVar = {"GET": RefundOut}
    filterset_class = RefundFilters

    def rows(self) -> QuerySet[CardRefund]:
        """Return the refunds that the actor may see."""
        return queries.visible_refunds(self.actor)


class ApproveRefund(ExchangeAPIView):
    """A second person lets a refund go."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}
    outputs: ClassVar = {"POST": RefundOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, refund_id: UUID) -> Response:
        """Send it."""
        return self.answer(refunds.approve(self.actor, refund_id, now=clock.now()))


class DeclineRefund(ExchangeAPIView):
    """A refund that waits is not sent."""

    required_capability: ClassVar = {"POST": (Capability.APPROVE_BOOKS, Capability.OPERATE_BOOKS)}
    outputs: ClassVar = {"POST": RefundOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, refund_id: UUID) -> Response:
        """Say no."""
        return self.answer(refunds.decline(self.actor, refund_id, now=clock.now()))
