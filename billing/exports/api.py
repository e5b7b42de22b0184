"""Lists as files to take away, and a buyer's costs in the FOCUS format, over HTTP.

A file has every row of its list that the caller may see, filtered like the list; it is streamed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final, cast

from django.db.models import DateTimeField, QuerySet, Value
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.actors.actor import Capability
from accounts.foundation import clock, ids, schemas
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.organisations.models import Organisation
from accounts.web.filters import check_parameters
from accounts.web.views import ExchangeAPIView
from billing.exports import costs, focus, lists, tables
from billing.exports.costs import Month
from billing.exports.errors import NoSuchBuyer
from billing.exports.focus import FocusVersion
from billing.exports.lists import BalanceLine
from billing.exports.tables import CONTENT_TYPES, Column, Format
from billing.invoices import queries as invoices
from billing.invoices.api import BUYERS, PROVIDERS, InvoiceFilters
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import Side
from billing.journals import queries as journals
from billing.journals.api import JournalFilters
from billing.journals.models import JournalLine, ManualJournal
from billing.ledger import queries as ledger
from billing.ledger.api import BALANCE_PARAMETERS, EntryFilters, HoldFilters, asked_balance
from billing.ledger.models import Hold, LedgerEntry
from billing.payments import queries as payments
from billing.payments.api import ReceiptFilters, TopUpFilters
from billing.payments.models import BankReceipt, TopUp
from billing.payouts import queries as payouts
from billing.payouts.api import SEES, PayoutFilters
from billing.payouts.models import Payout
from billing.payouts.queries import Payable
from billing.reconciliation import queries as reconciliation
from billing.reconciliation.api import BreakFilters
from billing.reconciliation.models import Break
from billing.reconciliation.rules import Item

CHUNK: Final = 1_000
PERIOD: Final = re.compile(r"(20[2-9][0-9])-(0[1-9]|1[0-2])", re.ASCII)


class TableFile(ExchangeAPIView):
    """Answer GET with every row of a list as a file of `file_format`, filtered like the list."""

    filterset_class: ClassVar[Any] = None
    title: ClassVar[str] = ""
    columns: ClassVar[tuple[Column[Any], ...]] = ()
    file_format: Format = Format.CSV

    @extend_schema(filters=True, responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponseBase:
        """Stream the file."""
        rows = self.filter_queryset(self.get_queryset())
        pieces = tables.pieces(self.file_format, self.title, self.columns, self.lines(rows))
        return _file(pieces, f"{self.title}.{self.file_format}", self.file_format)

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows; the schema generator has no actor and gets nothing."""
        if getattr(self, "swagger_fake_view", False):
            return cast("QuerySet[Any]", self.filterset_class._meta.model._default_manager.none())
        return self.rows()

    def rows(self) -> QuerySet[Any]:
        """Return what the actor may see."""
        raise NotImplementedError

    def lines(self, rows: QuerySet[Any]) -> Iterable[Any]:
        """Return the lines of the file in the order of their making, read a chunk at a time."""
        return rows.order_by("id").iterator(chunk_size=CHUNK)


def _file(pieces: Iterator[bytes], name: str, file_format: Format) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        pieces,
        content_type=CONTENT_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


class InvoicesFile(TableFile):
    """The invoices and credit notes of the caller's organisation; all of them for those who read the books."""

    required_capability: ClassVar = {"GET": BUYERS}
    filterset_class = InvoiceFilters
    title: ClassVar = "invoices"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.DOCUMENTS

    def rows(self) -> QuerySet[Invoice]:
        """Return the invoices that the actor may see."""
        return invoices.visible_to(self.actor, Side.CUSTOMER)


class InvoiceLinesFile(InvoicesFile):
    """The lines of the invoices that the filters of the list of invoices pick."""

    title: ClassVar = "invoice-lines"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.LINES

    def lines(self, rows: QuerySet[Any]) -> Iterable[InvoiceLine]:
        """Return the lines of the invoices, in order."""
        return _lines_of(rows)


class StatementsFile(TableFile):
    """The statements of the caller's organisation; all of them for those who read the books."""

    required_capability: ClassVar = {"GET": PROVIDERS}
    filterset_class = InvoiceFilters
    title: ClassVar = "statements"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.DOCUMENTS

    def rows(self) -> QuerySet[Invoice]:
        """Return the statements that the actor may see."""
        return invoices.visible_to(self.actor, Side.PROVIDER)


class StatementLinesFile(StatementsFile):
    """The lines of the statements that the filters of the list of statements pick."""

    title: ClassVar = "statement-lines"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.LINES

    def lines(self, rows: QuerySet[Any]) -> Iterable[InvoiceLine]:
        """Return the lines of the statements, in order."""
        return _lines_of(rows)


def _lines_of(documents: QuerySet[Invoice]) -> Iterable[InvoiceLine]:
    lines = InvoiceLine.objects.filter(invoice__in=documents.order_by()).select_related("invoice")
    return lines.order_by("invoice_id", "n").iterator(chunk_size=CHUNK)


class LedgerEntriesFile(TableFile):
    """The entries on the caller's accounts; all entries for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_SELLING, Capability.VIEW_BOOKS)}
    filterset_class = EntryFilters
    title: ClassVar = "ledger-entries"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.ENTRIES

    def rows(self) -> QuerySet[LedgerEntry]:
        """Return the entries that the actor may read."""
        return ledger.visible_entries(self.actor)


class TopUpsFile(TableFile):
    """The top-ups of the caller's organisation; everybody's for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    filterset_class = TopUpFilters
    title: ClassVar = "top-ups"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.TOP_UPS

    def rows(self) -> QuerySet[TopUp]:
        """Return the top-ups that the actor may see."""
        return payments.visible_top_ups(self.actor)


class BankReceiptsFile(TableFile):
    """The bank's receipts."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    filterset_class = ReceiptFilters
    title: ClassVar = "bank-receipts"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.RECEIPTS

    def rows(self) -> QuerySet[BankReceipt]:
        """Return the receipts."""
        return payments.visible_receipts(self.actor)


class HoldsFile(TableFile):
    """Funds of the caller's organisation that are set aside; all of them for those who read the books."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    filterset_class = HoldFilters
    title: ClassVar = "holds"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.HOLDS

    def rows(self) -> QuerySet[Hold]:
        """Return the holds that the actor may read."""
        return ledger.visible_holds(self.actor)


class ReceivablesFile(TableFile):
    """The invoices on credit that are not paid yet, with what is outstanding and how late it is."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    filterset_class = InvoiceFilters
    title: ClassVar = "receivables"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.RECEIVABLES

    def rows(self) -> QuerySet[Invoice]:
        """Return what is outstanding now."""
        open_ = invoices.outstanding(self.actor)
        return open_.annotate(as_of=Value(clock.now(), DateTimeField()))


class PayoutsFile(TableFile):
    """The payouts to the caller's organisation; to everybody for those who read the books."""

    required_capability: ClassVar = {"GET": SEES}
    filterset_class = PayoutFilters
    title: ClassVar = "payouts"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.PAYOUTS

    def rows(self) -> QuerySet[Payout]:
        """Return the payouts that the actor may see."""
        return payouts.with_accrued(payouts.visible_payouts(self.actor))


class BreaksFile(TableFile):
    """The queue of breaks."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    filterset_class = BreakFilters
    title: ClassVar = "breaks"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.BREAKS

    def rows(self) -> QuerySet[Break]:
        """Return all breaks."""
        return reconciliation.visible_breaks(self.actor)


class JournalsFile(TableFile):
    """The lines of the entries by hand that the filters of their list pick."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    filterset_class = JournalFilters
    title: ClassVar = "journals"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.JOURNALS

    def rows(self) -> QuerySet[ManualJournal]:
        """Return all entries."""
        return journals.visible_journals(self.actor)

    def lines(self, rows: QuerySet[Any]) -> Iterable[JournalLine]:
        """Return the lines of the entries, in order."""
        picked = JournalLine.objects.filter(journal__in=rows.order_by().prefetch_related(None))
        named = picked.select_related("journal__proposed_by", "journal__decided_by")
        return named.order_by("journal_id", "n").iterator(chunk_size=CHUNK)


class FigureFile(ExchangeAPIView):
    """Answer GET with figures of this moment, which no list of rows has, as a file of `file_format`."""

    filterset_class = None
    title: ClassVar[str] = ""
    columns: ClassVar[tuple[Column[Any], ...]] = ()
    file_format: Format = Format.CSV

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponseBase:
        """Stream the file."""
        pieces = tables.pieces(self.file_format, self.title, self.columns, self.lines(request))
        return _file(pieces, f"{self.title}.{self.file_format}", self.file_format)

    def lines(self, request: Request) -> Iterable[Any]:
        """Return the lines of the file; raises Invalid for parameters that it does not know."""
        raise NotImplementedError


class TrialBalanceFile(FigureFile):
    """Debits and credits by code, as `/v1/trial-balance` answers them."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    title: ClassVar = "trial-balance"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.TRIAL_BALANCE

    @extend_schema(parameters=BALANCE_PARAMETERS, responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponseBase:
        """Stream the file."""
        return super().get(request)

    def lines(self, request: Request) -> Iterable[BalanceLine]:
        """Return one line for each code."""
        balance = asked_balance(request)
        return [BalanceLine(balance.currency, row) for row in balance.rows]


class PayablesFile(FigureFile):
    """What is owed to the caller's organisation; to everybody for those who read the books."""

    required_capability: ClassVar = {"GET": SEES}
    title: ClassVar = "payables"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.PAYABLES

    def lines(self, request: Request) -> Iterable[Payable]:
        """Return one line for each provider and currency."""
        check_parameters(request, ())
        return payouts.visible_payables(self.actor)


class UnmatchedFile(FigureFile):
    """Everything that does not match now, for those who read the books."""

    required_capability: ClassVar = {"GET": Capability.VIEW_BOOKS}
    title: ClassVar = "unmatched-items"
    columns: ClassVar[tuple[Column[Any], ...]] = lists.UNMATCHED

    def lines(self, request: Request) -> Iterable[Item]:
        """Return every item, also of kinds of which the page shows the oldest only."""
        check_parameters(request, ())
        return reconciliation.every_item(self.actor, now=clock.now())


class FocusFile(ExchangeAPIView):
    """A buyer's costs of a billing month in the FOCUS format."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS)}
    filterset_class = None

    @extend_schema(
        parameters=[
            OpenApiParameter("period", {"type": "string", "pattern": f"^{PERIOD.pattern}$"}, required=True),
            OpenApiParameter("organisation", schemas.typed_id("org")),
            OpenApiParameter(
                "version", {"type": "string", "enum": list(FocusVersion), "default": str(FocusVersion.V1_2)}
            ),
        ],
        responses={200: OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Stream the caller's own costs, or with the books those of `organisation`."""
        check_parameters(request, ("organisation", "period", "version"))
        given = request.query_params
        month = _month(given.get("period", ""))
        version = given.get("version", FocusVersion.V1_2)
        if version not in list(FocusVersion):
            raise _wrong("version", f"expected one of {', '.join(FocusVersion)}, got {version[:20]!r}")
        buyer = self._buyer(given.get("organisation"))
        pieces = tables.csv_pieces(focus.columns(FocusVersion(version)), costs.rows(buyer, month))
        return _file(pieces, f"focus-{month.year}-{month.month:02d}.csv", Format.CSV)

    def _buyer(self, spelled: str | None) -> Organisation:
        """Return whose costs are asked for; raises NoSuchBuyer where they are not the caller's to see."""
        own = self.actor.organisation()
        asked = own if spelled is None else ids.parse("org", spelled)
        found = Organisation.objects.filter(id=asked, can_buy=True).first()
        if found is None or (asked != own and not self.actor.can(Capability.VIEW_BOOKS)):
            raise NoSuchBuyer
        return found


def _month(text: str) -> Month:
    match = PERIOD.fullmatch(text)
    if match is None:
        raise _wrong("period", f"expected a month such as 2026-04, got {text[:40]!r}")
    return Month(int(match[1]), int(match[2]))


def _wrong(name: str, detail: str) -> Invalid:
    return Invalid(f"{name}: {detail}.", [FieldProblem(name, detail, "query")])


FILES: Final = (
    InvoicesFile,
    InvoiceLinesFile,
    StatementsFile,
    StatementLinesFile,
    LedgerEntriesFile,
    TopUpsFile,
    BankReceiptsFile,
    HoldsFile,
    ReceivablesFile,
    PayoutsFile,
    BreaksFile,
    JournalsFile,
    TrialBalanceFile,
    PayablesFile,
    UnmatchedFile,
)
