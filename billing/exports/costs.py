"""Reads a buyer's invoices of a billing month as rows of the FOCUS format.

An invoice belongs to the month of the books in which what it bills ends. A line that is made of charges has one row
for each day of delivery.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Final
from uuid import UUID

from django.db.models import Max, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from accounts.foundation import ids
from accounts.organisations.models import Organisation
from billing.contracts.terms import OfferingTerms, Terms
from billing.exports import focus
from billing.exports.focus import Account, ChargeCategory, CostRow, Document, Place, Priced, Resource, Service
from billing.invoices.models import BilledCharge, Invoice, InvoiceLine
from billing.invoices.rules import InvoiceStatus, Side
from billing.periods.rules import BOOKS_ZONE
from billing.rating.bills import LineKind
from billing.rating.charges import ChargeKind
from catalog.measures.interval import Interval
from catalog.measures.price import exact_amount
from catalog.measures.units import unit
from catalog.offerings.models import Offering

CHUNK: Final = 200
HOUSE: Final = Service("Compute exchange", "Other", "Other (Other)")

# What is metered beside capacity is a service of its own, for a service has one category and one subcategory.
_TRAFFIC: Final = Service("Data transfer", "Networking", "Network Connectivity")
_STORAGE: Final = Service("Storage", "Storage", "Other (Storage)")
_INFERENCE: Final = Service("Model inference", "AI and Machine Learning", "Generative AI")
_METERED: Final[Mapping[str, Service]] = {
    "egress_gb": _TRAFFIC,
    "ingress_gb": _TRAFFIC,
    "bandwidth_mbps_p95": _TRAFFIC,
    "storage_gb_months": _STORAGE,
    "storage_tb_months": _STORAGE,
    "tokens_in": _INFERENCE,
    "tokens_out": _INFERENCE,
    "requests": _INFERENCE,
}
_EXTRAS: Final = Service("Metered extras", "Compute", "Other (Compute)")
_COUNTS: Final[Mapping[str, str]] = {"card_hours": "GpuCount", "core_hours": "CoreCount"}


@dataclass(frozen=True, slots=True)
class Month:
    """A billing month in the zone of the books."""

    year: int
    month: int

    @property
    def interval(self) -> Interval:
        """Its instants, half-open."""
        following = date(self.year + self.month // 12, self.month % 12 + 1, 1)
        return Interval(_midnight(date(self.year, self.month, 1)), _midnight(following))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BOOKS_ZONE).astimezone(UTC)


def invoices_of(buyer: Organisation, month: Month) -> QuerySet[Invoice]:
    """Return a buyer's issued invoices and credit notes of a month, in the order of their issue."""
    begins, ends = month.interval.start, month.interval.end
    of_month = Q(corrects__isnull=True, period_end__gt=begins, period_end__lte=ends)
    # What is taken back of an invoice counts in the month in which it is: its own may have been reported.
    of_month |= Q(corrects__isnull=False, issued_at__gte=begins, issued_at__lt=ends)
    issued = Invoice.objects.filter(of_month, organisation=buyer, side=Side.CUSTOMER)
    return issued.exclude(status=InvoiceStatus.DRAFT).order_by("issued_at", "id")


def rows(buyer: Organisation, month: Month) -> Iterator[CostRow]:
    """Yield the rows of a buyer's month, an invoice at a time."""
    found = invoices_of(buyer, month).select_related("contract", "project", "organisation")
    for invoice in found.prefetch_related("lines", "taxes").iterator(chunk_size=CHUNK):
        yield from _Sheet(invoice, month).rows()


class _Sheet:
    """One invoice, as rows."""

    def __init__(self, invoice: Invoice, month: Month) -> None:
        self.invoice = invoice
        self.terms = Terms.from_document(invoice.contract.terms)
        project = invoice.project
        self.document = Document(
            number=invoice.number,
            contract_id=ids.spell("ctr", invoice.contract_id),
            currency=invoice.currency,
            issuer=str(invoice.seller["legal_name"]),
            account=Account(
                id=ids.spell("org", invoice.organisation_id),
                name=invoice.organisation.name,
                project_id=ids.spell("prj", project.id) if project else "",
                project_name=project.name if project else "",
            ),
            billing_start=month.interval.start,
            billing_end=month.interval.end,
            market=invoice.contract.market_code,
            is_correction=invoice.corrects_id is not None,
        )
        offerings = Offering.objects.select_related("site__cluster__hub", "resource_type__service_class")
        needed = {line.offering_id for line in invoice.lines.all() if line.offering_id is not None}
        self.offerings = {offering.id: offering for offering in offerings.filter(id__in=needed)}

    def rows(self) -> Iterator[CostRow]:
        """Yield the rows of the lines, then those of the taxes."""
        by_tax: dict[tuple[str, int], list[CostRow]] = {}
        for line in self.invoice.lines.all():
            made = list(self._line(line))
            by_tax.setdefault((line.tax_category, line.tax_rate_ppm), []).extend(made)
            yield from made
        for tax in self.invoice.taxes.all():
            yield focus.tax_row(
                self.document,
                by_tax.get((tax.category, tax.rate_ppm), []),
                rate_ppm=tax.rate_ppm,
                billed_minor=tax.tax_minor,
                starts_at=self.invoice.period_start,
                ends_at=self.invoice.period_end,
                service=HOUSE,
            )

    def _line(self, line: InvoiceLine) -> Iterator[CostRow]:
        if line.price_micros is not None and line.offering_id is not None:
            yield from self._usage(line)
        elif line.amount_minor >= 0 and not self.document.is_correction:
            yield self._share(line)
        else:
            yield self._credit(line)

    def _usage(self, line: InvoiceLine) -> Iterator[CostRow]:
        """Yield a row for each day, with its share of the rounded amount."""
        assert line.price_micros is not None, line
        days = _days(line)
        quantities = [day.raw_quantity / line.raw_per_unit for day in days]
        exact = [
            exact_amount(quantity, line.price_micros, base_quantity=line.base_quantity, currency=self.document.currency)
            for quantity in quantities
        ]
        shares = focus.spread(exact, line.amount_minor)
        for day, quantity, share in zip(days, quantities, shares, strict=True):
            priced = self._priced(line, quantity)
            yield self._row(
                line,
                ChargeCategory.USAGE,
                "Usage-Based",
                service=self._service(line),
                starts_at=day.starts_at,
                ends_at=day.ends_at,
                billed_minor=share,
                priced=priced,
            )

    def _priced(self, line: InvoiceLine, quantity: Fraction) -> Priced:
        assert line.price_micros is not None, line
        assert line.offering_id is not None, line
        agreed = self.terms.offering(line.offering_id)
        is_capacity = line.kind == LineKind.CAPACITY
        sku = f"{agreed.cell}:{line.unit}"
        version = f"round-{line.price_micros}" if is_capacity else f"v{agreed.rate_card_version}-{line.price_micros}"
        listed = agreed.rate(line.unit, line.service_start)
        list_micros = listed.price_micros if is_capacity and listed is not None else line.price_micros
        measured = unit(line.unit)
        return Priced(
            quantity=focus.printed_quantity(quantity / line.base_quantity),
            unit=focus.pricing_unit(measured.focus_unit, line.base_quantity),
            contracted_unit_price=focus.unit_price(line.price_micros),
            list_unit_price=focus.unit_price(list_micros),
            sku_id=sku,
            sku_meter=measured.name_en[:1].upper() + measured.name_en[1:],
            sku_price_id=f"{sku}:{version}",
            details=self._details(line, agreed),
            pricing_category="Dynamic" if is_capacity else "Standard",
            consumed=focus.printed_quantity(quantity),
            consumed_unit=measured.focus_unit,
        )

    def _details(self, line: InvoiceLine, agreed: OfferingTerms) -> dict[str, str | int]:
        """Describe one unit of what is priced."""
        assert line.offering_id is not None, line
        service_class = self.offerings[line.offering_id].resource_type.service_class.code
        details: dict[str, str | int] = {"x_CardModel": agreed.resource, "x_ComputeClass": service_class}
        if line.kind == LineKind.CAPACITY and line.unit in _COUNTS:
            details[_COUNTS[line.unit]] = 1
        return details

    def _share(self, line: InvoiceLine) -> CostRow:
        """The exchange's fee, or what a rate card adds: so many per cent at a hundredth of the base each."""
        assert line.share_ppm is not None, line
        assert line.share_base_minor is not None, line
        a_percent = focus.in_currency(line.share_base_minor, self.document.currency).scaleb(-2)
        priced = Priced(
            quantity=focus.printed_quantity(Fraction(line.share_ppm, 10_000)),
            unit=unit("percent").focus_unit,
            contracted_unit_price=a_percent,
            list_unit_price=a_percent,
            sku_id=f"exchange-{line.kind}",
            sku_meter="Share of an amount",
            sku_price_id=f"exchange-{line.kind}:{self.document.number}-{line.n}",
            details={"x_FeeVersion": self.terms.fees.version},
            pricing_category="Standard",
            consumed=focus.printed_quantity(Fraction(line.share_ppm, 10_000)),
            consumed_unit=unit("percent").focus_unit,
        )
        # Not a purchase, whose effective cost the specification wants to be 0 until it is used up.
        return self._row(line, ChargeCategory.USAGE, "Usage-Based", service=self._service(line), priced=priced)

    def _credit(self, line: InvoiceLine) -> CostRow:
        return self._row(line, ChargeCategory.CREDIT, "One-Time", service=self._service(line))

    def _service(self, line: InvoiceLine) -> Service:
        if line.offering_id is None:
            return HOUSE
        if line.kind in {LineKind.METERED, LineKind.MINIMUM, LineKind.ADJUSTMENT}:
            return _METERED.get(line.unit, _EXTRAS)
        # Bare metal is counted among the virtual machines.
        return Service(self.terms.offering(line.offering_id).name, "Compute", "Virtual Machines")

    def _row(
        self,
        line: InvoiceLine,
        category: ChargeCategory,
        frequency: str,
        *,
        service: Service,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        billed_minor: int | None = None,
        priced: Priced | None = None,
    ) -> CostRow:
        minor = line.amount_minor if billed_minor is None else billed_minor
        billed = focus.in_currency(minor, self.document.currency)
        supplier = self.document.issuer if line.offering_id is None else self.terms.provider.legal_name
        return CostRow(
            document=self.document,
            category=category,
            frequency=frequency,
            description=line.description,
            service=service,
            publisher=supplier,
            host=supplier,
            starts_at=starts_at or line.service_start,
            ends_at=ends_at or line.service_end,
            billed=billed,
            list_cost=priced.list_cost if priced else billed,
            contracted_cost=priced.contracted_cost if priced else billed,
            line=line.n,
            priced=priced,
            place=self._place(line.offering_id),
            resource=self._resource(line.offering_id),
        )

    def _place(self, offering_id: UUID | None) -> Place:
        if offering_id is None:
            return Place()
        site = self.offerings[offering_id].site
        hub = site.cluster.hub if site.cluster else site.hub
        return Place(hub.code, hub.name_en, site.code)

    def _resource(self, offering_id: UUID | None) -> Resource:
        if offering_id is None:
            return Resource()
        offering = self.offerings[offering_id]
        is_accelerator = self.terms.offering(offering_id).unit == "card_hours"
        kind = "Accelerator Instance" if is_accelerator else "Compute Instance"
        return Resource(self.document.contract_id, offering.name, kind)


@dataclass(frozen=True, slots=True)
class _Day:
    """What was supplied under a line on one day in the zone of the books: an exact raw quantity, from and to."""

    raw_quantity: Fraction
    starts_at: datetime
    ends_at: datetime


def _days(line: InvoiceLine) -> list[_Day]:
    """Return what was supplied under a line, day by day; a line without charges behind it is one piece."""
    # Readings that stand behind a tariff's line are its evidence; the tariff's own charges are what it counts.
    counted = BilledCharge.objects.filter(line=line).exclude(charge__kind=ChargeKind.MEASURED)
    charges = counted.annotate(day=TruncDate("charge__starts_at", tzinfo=BOOKS_ZONE))
    by_day = charges.values_list("day").annotate(
        Sum("charge__raw_quantity"), Min("charge__starts_at"), Max("charge__ends_at")
    )
    days = [_Day(Fraction(raw), starts_at, ends_at) for _, raw, starts_at, ends_at in by_day.order_by("day")]
    whole = Fraction(line.raw_quantity)
    if not days:
        return [_Day(whole, line.service_start, line.service_end)]
    assert sum(day.raw_quantity for day in days) == whole, line.id
    return days
