"""Fapiao over HTTP: titles, requests, records, red letters."""

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
from accounts.web.rows import RowResultsOut
from accounts.web.serializers import Nothing
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.fapiao import imports, queries, reds, services, titles
from billing.fapiao.models import Fapiao, FapiaoTitle
from billing.fapiao.rules import MAX_FILE_BYTES, Issued, RedCause, Status
from billing.fapiao.serializers import (
    AskFapiao,
    FapiaoOut,
    NewTitle,
    OneFapiaoOut,
    OutstandingOut,
    RecordFapiao,
    RecordRows,
    RedLetter,
    RefuseFapiao,
    TitleOut,
)
from billing.fapiao.titles import TitleSpec
from billing.invoices.models import Invoice

READERS = (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)


class TitleFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which titles."""

    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = FapiaoTitle
        fields: ClassVar[list[str]] = []


class Titles(ListMixin[FapiaoTitle], ExchangeAPIView):
    """What fapiao say of a buyer."""

    required_capability: ClassVar = {"GET": READERS, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": NewTitle}
    outputs: ClassVar = {"GET": TitleOut, "POST": TitleOut}
    filterset_class = TitleFilters

    def rows(self) -> QuerySet[FapiaoTitle]:
        """Return the titles that the actor may see."""
        return queries.titles(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a title."""
        return self.answer(titles.enter(self.actor, TitleSpec(**self.read()), now=clock.now()))


class EndTitle(ExchangeAPIView):
    """Titles that are no longer used."""

    required_capability: ClassVar = {"POST": Capability.TRADE}
    inputs: ClassVar = {"POST": Nothing}
    outputs: ClassVar = {"POST": TitleOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, title_id: UUID) -> Response:
        """End one."""
        self.read()
        return self.answer(titles.end(self.actor, title_id, now=clock.now()))


class FapiaoFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which fapiao."""

    status = ChoiceFilter(options=Status)
    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")
    red_of = TypedIdFilter(prefix="fap", field_name="red_of_id")

    class Meta:
        model = Fapiao
        fields: ClassVar[list[str]] = []


class AllFapiao(ListMixin[Fapiao], ExchangeAPIView):
    """Fapiao that were asked for, red letters among them."""

    required_capability: ClassVar = {"GET": READERS, "POST": Capability.TRADE}
    inputs: ClassVar = {"POST": AskFapiao}
    outputs: ClassVar = {"GET": FapiaoOut, "POST": OneFapiaoOut}
    filterset_class = FapiaoFilters

    def rows(self) -> QuerySet[Fapiao]:
        """Return the fapiao that the actor may see."""
        return queries.visible_to(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for one over some invoices."""
        said = self.read()
        asked = services.ask(self.actor, said["title"], said["kind"], said["invoices"], now=clock.now())
        return self.answer(queries.one(self.actor, asked.id))


class OneFapiao(ExchangeAPIView):
    """One fapiao."""

    required_capability: ClassVar = {"GET": READERS}
    outputs: ClassVar = {"GET": OneFapiaoOut}

    def get(self, request: Request, fapiao_id: UUID) -> Response:
        """Answer the fapiao with its documents."""
        check_parameters(request, ())
        return self.answer(queries.one(self.actor, fapiao_id))


class BeginFapiao(ExchangeAPIView):
    """Fapiao in the making."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": Nothing}
    outputs: ClassVar = {"POST": OneFapiaoOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, fapiao_id: UUID) -> Response:
        """Note that one is being issued at the tax bureau's platform."""
        self.read()
        begun = services.begin(self.actor, fapiao_id, now=clock.now())
        return self.answer(queries.one(self.actor, begun.id))


class RecordOne(ExchangeAPIView):
    """What was issued."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": RecordFapiao}
    outputs: ClassVar = {"POST": OneFapiaoOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, fapiao_id: UUID) -> Response:
        """Record the number that the tax bureau gave."""
        said = self.read()
        issued = Issued(
            said["number"],
            said["issued_on"],
            said["total"],
            said.get("file_url", ""),
            said.get("file_sha256", ""),
        )
        services.record(self.actor, fapiao_id, issued, now=clock.now())
        return self.answer(queries.one(self.actor, fapiao_id))


class RefuseOne(ExchangeAPIView):
    """Requests that are declined."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": RefuseFapiao}
    outputs: ClassVar = {"POST": OneFapiaoOut}
    statuses: ClassVar = {"POST": 200}

    @idempotent
    def post(self, request: Request, fapiao_id: UUID) -> Response:
        """Decline one with a reason."""
        services.refuse(self.actor, fapiao_id, reason=self.read()["reason"], now=clock.now())
        return self.answer(queries.one(self.actor, fapiao_id))


class RedLetters(ExchangeAPIView):
    """Red letters of a fapiao."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": RedLetter}
    outputs: ClassVar = {"POST": OneFapiaoOut}

    @idempotent
    def post(self, request: Request, fapiao_id: UUID) -> Response:
        """Ask for one over a mistake, or again for those of credit notes; the answer is the fapiao taken back."""
        said = self.read()
        if said["cause"] is RedCause.MISTAKE:
            reds.reverse(
                self.actor, fapiao_id, reason=said["reason"], invoice_ids=said.get("invoices"), now=clock.now()
            )
        else:
            reds.ask_again(self.actor, fapiao_id, now=clock.now())
        return self.answer(queries.one(self.actor, fapiao_id))


class FapiaoRecords(ExchangeAPIView):
    """Many records at once."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": RecordRows}
    outputs: ClassVar = {"POST": RowResultsOut}
    statuses: ClassVar = {"POST": 200}
    max_body_bytes: ClassVar = 2 * MAX_FILE_BYTES

    @idempotent
    def post(self, request: Request) -> Response:
        """Record each row of a CSV by itself: good rows are kept, and every row has a result."""
        rows = imports.record_rows(self.actor, self.read()["content"], now=clock.now())
        return self.answer({"rows": rows})


class OutstandingFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which documents."""

    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")

    class Meta:
        model = Invoice
        fields: ClassVar[list[str]] = []


class OutstandingFapiao(ListMixin[Invoice], ExchangeAPIView):
    """Documents that wait for a fapiao."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    outputs: ClassVar = {"GET": OutstandingOut}
    filterset_class = OutstandingFilters

    def rows(self) -> QuerySet[Invoice]:
        """Return documents whose fapiao is not issued, and credit notes that lack a red letter."""
        return queries.outstanding(self.actor)
