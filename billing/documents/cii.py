"""A document as an e-invoice: EN 16931 in the syntax Cross Industry Invoice (UN/CEFACT D16B), beside its PDF.

Capacity and metered extras are lines, the credit for what was not delivered is an allowance, the exchange's fee a
charge; of a statement the commission is an allowance. A document without a priced line has its shares as lines. A
credit note states what is given back as positive amounts, as its type code says. Business terms (BT) are named where
they are written.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

from accounts.foundation import ids
from billing.invoices.models import Invoice, InvoiceLine, InvoiceTax
from billing.invoices.rules import NOTES, TYPE_CODES, InvoiceKind
from billing.periods.rules import BOOKS_ZONE
from catalog.measures.money import format_minor
from catalog.measures.price import format_micros
from catalog.measures.units import unit

GUIDELINE: Final = "urn:cen.eu:en16931:2017"
_NAMES: Final = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
PPM_PER_PERCENT: Final = 10_000
_NOT_TAXED: Final = {"E": "Exempt from VAT", "O": "Outside the scope of VAT", "AE": "Reverse charge"}

Element = ET.Element


def document_xml(document: Invoice) -> bytes:
    """Return an issued document as XML; its lines and taxes are looked up."""
    for prefix, name in _NAMES.items():
        ET.register_namespace(prefix, name)
    writer = _Writer(document)
    ET.indent(writer.root)
    written: bytes = ET.tostring(writer.root, encoding="utf-8", xml_declaration=True)
    return written


def _tag(name: str) -> str:
    prefix, local = name.split(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    made = ET.SubElement(parent, _tag(name), attributes)
    made.text = text
    return made


def _day(parent: Element, name: str, instant: datetime) -> None:
    held = _add(parent, name)
    _add(held, "udt:DateTimeString", f"{instant.astimezone(BOOKS_ZONE):%Y%m%d}", format="102")


def _percent(ppm: int) -> str:
    return f"{Decimal(ppm) / PPM_PER_PERCENT:.2f}"


class _Writer:
    """Builds the tree from the top down, in the order that the schema asks for."""

    def __init__(self, document: Invoice) -> None:
        self.document = document
        self.sign = -1 if document.kind in NOTES else 1
        rows = list(document.lines.order_by("n"))
        priced = [row for row in rows if row.price_micros is not None]
        self.lines: Sequence[InvoiceLine] = priced or rows
        shares = [row for row in rows if row.price_micros is None] if priced else []
        self.charges = [row for row in shares if row.amount_minor * self.sign >= 0]
        self.allowances = [row for row in shares if row.amount_minor * self.sign < 0]
        self.taxes = list(document.taxes.order_by("category", "rate_ppm"))
        self.root = ET.Element(_tag("rsm:CrossIndustryInvoice"))
        self._context()
        self._header()
        transaction = _add(self.root, "rsm:SupplyChainTradeTransaction")
        for n, line in enumerate(self.lines, start=1):
            self._line(_add(transaction, "ram:IncludedSupplyChainTradeLineItem"), line, n)
        self._agreement(_add(transaction, "ram:ApplicableHeaderTradeAgreement"))
        _add(transaction, "ram:ApplicableHeaderTradeDelivery")
        self._settlement(_add(transaction, "ram:ApplicableHeaderTradeSettlement"))

    def _money(self, amount_minor: int) -> str:
        return format_minor(amount_minor * self.sign, self.document.currency)

    def _context(self) -> None:
        context = _add(self.root, "rsm:ExchangedDocumentContext")
        _add(_add(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", GUIDELINE)

    def _header(self) -> None:
        header = _add(self.root, "rsm:ExchangedDocument")
        assert self.document.issued_at is not None, "a draft is not sent"
        _add(header, "ram:ID", self.document.number)  # BT-1
        _add(header, "ram:TypeCode", TYPE_CODES[InvoiceKind(self.document.kind)])  # BT-3
        _day(header, "ram:IssueDateTime", self.document.issued_at)  # BT-2
        if self.document.synthetic:
            _add(_add(header, "ram:IncludedNote"), "ram:Content", "Made for a simulation: no money is owed for it.")

    def _line(self, item: Element, line: InvoiceLine, n: int) -> None:
        _add(_add(item, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(n))  # BT-126
        product = _add(item, "ram:SpecifiedTradeProduct")
        measured = unit(line.unit)
        _add(product, "ram:Name", line.description)  # BT-153
        # Recommendation 20 has no code for card-hours: the unit is named in words.
        _add(product, "ram:Description", f"Unit: {measured.name_en}")  # BT-154
        if line.price_micros is not None:
            price, base = format_micros(line.price_micros), str(line.base_quantity)
            quantity, code = f"{line.quantity * self.sign:f}", measured.invoice_code
        else:
            amount = abs(line.amount_minor)
            price, base, code = format_minor(amount, self.document.currency), "1", "C62"
            quantity = "1" if line.amount_minor * self.sign >= 0 else "-1"
        net_price = _add(_add(item, "ram:SpecifiedLineTradeAgreement"), "ram:NetPriceProductTradePrice")
        _add(net_price, "ram:ChargeAmount", price)  # BT-146
        _add(net_price, "ram:BasisQuantity", base, unitCode=code)  # BT-149
        delivered = _add(item, "ram:SpecifiedLineTradeDelivery")
        _add(delivered, "ram:BilledQuantity", quantity, unitCode=code)  # BT-129, BT-130
        settled = _add(item, "ram:SpecifiedLineTradeSettlement")
        self._tax(_add(settled, "ram:ApplicableTradeTax"), line.tax_category, line.tax_rate_ppm)  # BT-151, BT-152
        period = _add(settled, "ram:BillingSpecifiedPeriod")
        _day(period, "ram:StartDateTime", line.service_start)
        _day(period, "ram:EndDateTime", line.service_end)
        summed = _add(settled, "ram:SpecifiedTradeSettlementLineMonetarySummation")
        _add(summed, "ram:LineTotalAmount", self._money(line.amount_minor))  # BT-131

    def _agreement(self, agreement: Element) -> None:
        _add(agreement, "ram:BuyerReference", ids.spell("ctr", self.document.contract_id))  # BT-10
        self._party(_add(agreement, "ram:SellerTradeParty"), self.document.seller)  # BG-4
        self._party(_add(agreement, "ram:BuyerTradeParty"), self.document.buyer)  # BG-7

    @staticmethod
    def _party(element: Element, party: dict[str, Any]) -> None:
        _add(element, "ram:Name", party["legal_name"])  # BT-27, BT-44
        if party["tax_id"]:
            _add(_add(element, "ram:SpecifiedLegalOrganization"), "ram:ID", party["tax_id"])  # BT-30, BT-47
        address = _add(element, "ram:PostalTradeAddress")
        if party["address"]:
            _add(address, "ram:LineOne", party["address"])
        _add(address, "ram:CountryID", party["jurisdiction"])  # BT-40, BT-55
        if party["vat_registered"] and party["tax_id"]:
            registered = _add(element, "ram:SpecifiedTaxRegistration")
            # A VAT identifier begins with its country (BR-CO-09).
            number = f"{party['jurisdiction']}{party['tax_id'].removeprefix(party['jurisdiction'])}"
            _add(registered, "ram:ID", number, schemeID="VA")  # BT-31, BT-48

    def _settlement(self, settlement: Element) -> None:
        _add(settlement, "ram:InvoiceCurrencyCode", self.document.currency)  # BT-5
        for tax in self.taxes:
            self._tax_total(_add(settlement, "ram:ApplicableTradeTax"), tax)
        period = _add(settlement, "ram:BillingSpecifiedPeriod")  # BG-14
        _day(period, "ram:StartDateTime", self.document.period_start)
        _day(period, "ram:EndDateTime", self.document.period_end)
        for line in self.allowances:
            self._allowance_or_charge(settlement, line, is_charge=False)  # BG-20
        for line in self.charges:
            self._allowance_or_charge(settlement, line, is_charge=True)  # BG-21
        terms = _add(settlement, "ram:SpecifiedTradePaymentTerms")
        if self.document.due_at is not None:
            _day(terms, "ram:DueDateDateTime", self.document.due_at)  # BT-9
        else:
            _add(terms, "ram:Description", "Settled through the account with the exchange.")  # BT-20
        sums = _add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
        self._sums(sums)
        if self.document.corrects is not None:
            original = self.document.corrects
            assert original.issued_at is not None, original.id
            referenced = _add(settlement, "ram:InvoiceReferencedDocument")
            _add(referenced, "ram:IssuerAssignedID", original.number)  # BT-25
            # BT-26
            held = _add(referenced, "ram:FormattedIssueDateTime")
            day = f"{original.issued_at.astimezone(BOOKS_ZONE):%Y%m%d}"
            _add(held, "qdt:DateTimeString", day, format="102")

    @staticmethod
    def _tax(element: Element, category: str, rate_ppm: int) -> None:
        _add(element, "ram:TypeCode", "VAT")
        _add(element, "ram:CategoryCode", category)
        _add(element, "ram:RateApplicablePercent", _percent(rate_ppm))

    def _tax_total(self, element: Element, tax: InvoiceTax) -> None:
        _add(element, "ram:CalculatedAmount", self._money(tax.tax_minor))  # BT-117
        _add(element, "ram:TypeCode", "VAT")
        if tax.category in _NOT_TAXED:
            _add(element, "ram:ExemptionReason", _NOT_TAXED[tax.category])  # BT-120
        _add(element, "ram:BasisAmount", self._money(tax.base_minor))  # BT-116
        _add(element, "ram:CategoryCode", tax.category)  # BT-118
        _add(element, "ram:RateApplicablePercent", _percent(tax.rate_ppm))  # BT-119

    def _allowance_or_charge(self, settlement: Element, line: InvoiceLine, *, is_charge: bool) -> None:
        element = _add(settlement, "ram:SpecifiedTradeAllowanceCharge")
        assert line.share_ppm is not None, line
        assert line.share_base_minor is not None, line
        _add(_add(element, "ram:ChargeIndicator"), "udt:Indicator", "true" if is_charge else "false")
        _add(element, "ram:CalculationPercent", _percent(line.share_ppm))
        _add(element, "ram:BasisAmount", format_minor(abs(line.share_base_minor), self.document.currency))
        _add(element, "ram:ActualAmount", format_minor(abs(line.amount_minor), self.document.currency))
        _add(element, "ram:Reason", line.description)
        self._tax(_add(element, "ram:CategoryTradeTax"), line.tax_category, line.tax_rate_ppm)

    def _sums(self, sums: Element) -> None:
        document = self.document
        # A prepaid document was settled as it was issued; what is paid later does not change it.
        is_settled = document.due_at is None
        _add(sums, "ram:LineTotalAmount", self._money(sum(line.amount_minor for line in self.lines)))  # BT-106
        charged = sum(abs(line.amount_minor) for line in self.charges)
        allowed = sum(abs(line.amount_minor) for line in self.allowances)
        _add(sums, "ram:ChargeTotalAmount", format_minor(charged, document.currency))  # BT-108
        _add(sums, "ram:AllowanceTotalAmount", format_minor(allowed, document.currency))  # BT-107
        _add(sums, "ram:TaxBasisTotalAmount", self._money(document.net_minor))  # BT-109
        _add(sums, "ram:TaxTotalAmount", self._money(document.tax_minor), currencyID=document.currency)  # BT-110
        _add(sums, "ram:GrandTotalAmount", self._money(document.total_minor))  # BT-112
        if is_settled:
            _add(sums, "ram:TotalPrepaidAmount", self._money(document.total_minor))  # BT-113
        _add(sums, "ram:DuePayableAmount", self._money(0 if is_settled else document.total_minor))  # BT-115
