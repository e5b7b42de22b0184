"""What is owed to providers, and their payouts, over HTTP."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, TypedIdFilter, check_parameters
from accounts.web.idempotent import idempotent
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.payouts import destinations, paying, queries
from billing.payouts.models import Payout, TransferFile
from billing.payouts.rules import PayoutStatus
from billing.payouts.serializers import (
    ConfirmPayout,
    DestinationOut,
    DestinationsOut,
    EnterDestination,
    FailPayout,
    MakeTransferFile,
    OnePayoutOut,
    PayablesOut,
    PayoutOut,
    TransferFileOut,
)

SEES = (Capability.VIEW_SELLING, Capability.VIEW_BOOKS)


class Payables(ExchangeAPIView):
    """What is owed to the caller's organisation; to everybody for those who read the books."""

    required_capability: ClassVar = {"GET": SEES}
    outputs: ClassVar = {"GET": PayablesOut}

    def get(self, request: Request) -> Response:
        """Answer one line for each provider and currency."""
        check_parameters(request, ())
        return self.answer({"data": queries.visible_payables(self.actor)})


class PayoutFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which payouts."""

    status = ChoiceFilter(options=PayoutStatus)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = Payout
        fields: ClassVar[list[str]] = []


class Payouts(ListMixin[Payout], ExchangeAPIView):
    """The payouts to the caller's organisation; to everybody for those who read the books."""

    required_capability: ClassVar = {"GET": SEES}
    outputs: ClassVar = {"GET": PayoutOut}
    filterset_class = PayoutFilters

    def rows(self) -> QuerySet[Payout]:
        """Return the payouts that the actor may see."""
        return queries.with_accrued(queries.visible_payouts(self.actor))


class OnePayout(ExchangeAPIView):
    """One payout with what it pays."""

    required_capability: ClassVar = {"GET": SEES}
    outputs: ClassVar = {"GET": OnePayoutOut}

    def get(self, request: Request, payout_id: UUID) -> Response:
        """Answer its state and its list."""
        return self.answer(queries.payout(self.actor, payout_id))


class _WorkOnPayout(ExchangeAPIView):
    """A step with one payout, answered with the payout as it is after it."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    outputs: ClassVar = {"POST": OnePayoutOut}
    statuses: ClassVar = {"POST": 200}

    def after(self, payout_id: UUID) -> Response:
        """Answer the payout."""
        return self.answer(queries.payout(self.actor, payout_id))


class MakePayoutDue(_WorkOnPayout):
    """A provider is paid outside the schedule."""

    @idempotent
    def post(self, request: Request, payout_id: UUID) -> Response:
        """Fix what has accrued; colleagues approve it."""
        paying.make_due_now(self.actor, payout_id, now=clock.now())
        return self.after(payout_id)


class ApprovePayout(_WorkOnPayout):
    """Somebody agrees to a payout."""

    required_capability: ClassVar = {"POST": Capability.APPROVE_BOOKS}

    @idempotent
    def post(self, request: Request, payout_id: UUID) -> Response:
        """Approve it; above the limit a second person has to as well."""
        paying.approve(self.actor, payout_id, now=clock.now())
        return self.after(payout_id)


class SendPayout(_WorkOnPayout):
    """A payout was handed to the bank by hand."""

    @idempotent
    def post(self, request: Request, payout_id: UUID) -> Response:
        """Note that it is in transit."""
        paying.send(self.actor, payout_id, now=clock.now())
        return self.after(payout_id)


class ConfirmPayoutPaid(_WorkOnPayout):
    """The bank shows a payout."""

    inputs: ClassVar = {"POST": ConfirmPayout}

    @idempotent
    def post(self, request: Request, payout_id: UUID) -> Response:
        """Note that it is paid."""
        paying.confirm(self.actor, payout_id, self.read()["bank_reference"], now=clock.now())
        return self.after(payout_id)


class FailPayoutSent(_WorkOnPayout):
    """The bank did not pay."""

    inputs: ClassVar = {"POST": FailPayout}

    @idempotent
    def post(self, request: Request, payout_id: UUID) -> Response:
        """Take the posting back; the next payout pays what this one did not."""
        paying.fail(self.actor, payout_id, self.read()["reason"], now=clock.now())
        return self.after(payout_id)


class TransferFiles(ListMixin[TransferFile], ExchangeAPIView):
    """The files of payouts for the bank; what is in one is on its page."""

    required_capability: ClassVar = {"GET": Capability.OPERATE_BOOKS, "POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": MakeTransferFile}
    outputs: ClassVar = {"GET": TransferFileOut, "POST": TransferFileOut}

    def rows(self) -> QuerySet[TransferFile]:
        """Return all files."""
        return queries.visible_files(self.actor)

    def model_rows(self) -> QuerySet[TransferFile]:
        """Return an empty set."""
        return TransferFile.objects.none()

    @idempotent
    def post(self, request: Request) -> Response:
        """Put every approved payout of a currency that may be sent now into one file."""
        return self.answer(paying.send_by_file(self.actor, self.read()["currency"], now=clock.now()))


class Destination(ExchangeAPIView):
    """Where the money of the caller's organisation goes."""

    required_capability: ClassVar = {"GET": Capability.VIEW_SELLING, "POST": Capability.MANAGE_MEMBERS}
    inputs: ClassVar = {"POST": EnterDestination}
    outputs: ClassVar = {"GET": DestinationsOut, "POST": DestinationOut}

    def get(self, request: Request) -> Response:
        """Answer the bank account in force, without its number."""
        check_parameters(request, ())
        found = queries.destination(self.actor.organisation())
        return self.answer({"data": [found] if found else []})

    @idempotent
    def post(self, request: Request) -> Response:
        """Enter another bank account; nothing is paid for 72 hours."""
        return self.answer(destinations.change(self.actor, **self.read(), now=clock.now()))
