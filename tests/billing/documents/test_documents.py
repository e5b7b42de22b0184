"""Documents as they are handed over: the printed sheet in two languages, and the e-invoice against schema and sums."""

import io
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from drafthorse.utils import validate_xml
from pypdf import PdfReader

from billing.contracts import services as contracts
from billing.contracts.terms import Terms
from billing.documents import cii, pdf
from billing.documents.sheet import description, sheet
from billing.documents.words import Language
from billing.invoices import corrections
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind, Reason, Side
from billing.rating.bills import LineKind
from tests.billing import delivery
from tests.billing.delivery import Stage, slot

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"


@pytest.fixture
def stage(db: None) -> Stage:
    made = delivery.stage()
    delivery.fund(made.buyer, 800_000)
    return made


def ended(stage: Stage, *, prepaid: bool = True) -> tuple[Invoice, Invoice]:
    """Deliver the story's day: short for an hour, with egress; return its invoice and statement."""
    agreed = delivery.contract(
        stage,
        [slot(stage, 0, 8, 16, 9_000_000), slot(stage, 8, 20, 16, 10_000_000), slot(stage, 20, 24, 16, 9_000_000)],
        prepaid=prepaid,
    )
    metered = delivery.point(agreed, stage.offering)
    delivery.report(
        stage,
        [
            delivery.segment(metered, "s1", 0, 13, 16),
            delivery.segment(metered, "s2", 13, 14, 12),
            delivery.segment(metered, "s3", 14, 24, 16),
            delivery.reading(metered, "r1", 20, 21, "125.5"),
        ],
    )
    contracts.end(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    invoice = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    statement = invoices.issue_statement(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    assert invoice is not None
    assert statement is not None
    return invoice, statement


def credits_only(stage: Stage) -> Invoice:
    """Deliver nothing of what was agreed: only the credit for it is left, on a credit note."""
    agreed = delivery.contract(stage, [slot(stage, 0, 2, 4, 9_000_000)])
    delivery.point(agreed, stage.offering)
    contracts.end(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    note = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    assert note is not None
    assert note.kind == InvoiceKind.CREDIT_NOTE
    return note


def tree(document: Invoice) -> ET.Element:
    written = cii.document_xml(document)
    validate_xml(written, "FACTUR-X_EN16931")  # raises where the schema is not kept
    return ET.fromstring(written)  # noqa: S314 - our own


def amounts(root: ET.Element, path: str) -> list[Decimal]:
    return [Decimal(found.text or "") for found in root.iter(f"{RAM}{path}")]


def summed(root: ET.Element) -> dict[str, Decimal]:
    (sums,) = root.iter(f"{RAM}SpecifiedTradeSettlementHeaderMonetarySummation")
    return {item.tag.removeprefix(RAM): Decimal(item.text or "") for item in sums}


def check_arithmetic(root: ET.Element) -> None:
    """Check the rules of EN 16931 that a schema cannot say (BR-CO-10 to 17, BR-DEC)."""
    sums = summed(root)
    items = root.iterfind(f".//{RAM}IncludedSupplyChainTradeLineItem//{RAM}LineTotalAmount")
    lines = [Decimal(item.text or "") for item in items]
    allowances, charges = Decimal(0), Decimal(0)
    for item in root.iterfind(f".//{RAM}SpecifiedTradeAllowanceCharge"):
        amount = Decimal(item.findtext(f"{RAM}ActualAmount") or "")
        assert amount >= 0
        is_charge = next(iter(item.find(f"{RAM}ChargeIndicator") or [])).text == "true"
        charges, allowances = (charges + amount, allowances) if is_charge else (charges, allowances + amount)
    assert lines, "BR-16: an invoice has a line"
    assert sums["LineTotalAmount"] == sum(lines)  # BR-CO-10
    assert (sums["AllowanceTotalAmount"], sums["ChargeTotalAmount"]) == (allowances, charges)  # BR-CO-11, 12
    assert sums["TaxBasisTotalAmount"] == sum(lines) - allowances + charges  # BR-CO-13
    taxes = [item for item in root.iter(f"{RAM}ApplicableTradeTax") if item.find(f"{RAM}CalculatedAmount") is not None]
    assert sums["TaxTotalAmount"] == sum(Decimal(tax.findtext(f"{RAM}CalculatedAmount") or "") for tax in taxes)
    assert sums["GrandTotalAmount"] == sums["TaxBasisTotalAmount"] + sums["TaxTotalAmount"]  # BR-CO-15
    assert sums["DuePayableAmount"] == sums["GrandTotalAmount"] - sums.get("TotalPrepaidAmount", 0)  # BR-CO-16
    for tax in taxes:  # BR-CO-17, to the last digit
        base, rate = (Decimal(tax.findtext(f"{RAM}{name}") or "") for name in ("BasisAmount", "RateApplicablePercent"))
        assert abs(base * rate / 100 - Decimal(tax.findtext(f"{RAM}CalculatedAmount") or "")) <= Decimal("0.005")
    for name in ("LineTotalAmount", "ActualAmount", "BasisAmount", "CalculatedAmount", "GrandTotalAmount"):
        assert all(-amount.as_tuple().exponent <= 2 for amount in amounts(root, name))  # type: ignore[operator]
    if sums["DuePayableAmount"] > 0:  # BR-CO-25
        assert root.find(f".//{RAM}DueDateDateTime") is not None


def test_the_storys_invoice_keeps_schema_and_arithmetic_and_its_figures(stage: Stage) -> None:
    invoice, _ = ended(stage)

    root = tree(invoice)

    check_arithmetic(root)
    assert summed(root) == {
        "LineTotalAmount": Decimal("3670.75"),
        "ChargeTotalAmount": Decimal("36.08"),
        "AllowanceTotalAmount": Decimal("4.00"),
        "TaxBasisTotalAmount": Decimal("3702.83"),
        "TaxTotalAmount": Decimal("222.17"),
        "GrandTotalAmount": Decimal("3925.00"),
        "TotalPrepaidAmount": Decimal("3925.00"),
        "DuePayableAmount": Decimal("0.00"),
    }


def test_the_storys_statement_has_the_commission_as_an_allowance(stage: Stage) -> None:
    _, statement = ended(stage)

    root = tree(statement)

    check_arithmetic(root)
    assert summed(root)["AllowanceTotalAmount"] == Decimal("150.83")
    assert summed(root)["GrandTotalAmount"] == Decimal("3731.12")
    assert root.findtext(f".//{RAM}TypeCode") == "389"


def test_an_invoice_on_credit_is_due_and_says_when(stage: Stage) -> None:
    invoice, _ = ended(stage, prepaid=False)

    root = tree(invoice)

    check_arithmetic(root)
    assert summed(root)["DuePayableAmount"] == Decimal("3925.00")


def test_a_credit_note_states_positive_amounts_and_has_a_line(stage: Stage) -> None:
    note = credits_only(stage)

    root = tree(note)

    check_arithmetic(root)
    assert root.findtext(f".//{RAM}TypeCode") == "381"
    assert summed(root)["GrandTotalAmount"] == Decimal(-note.total_minor) / 100 > 0


def test_a_note_on_an_invoice_names_its_original_in_both_forms(stage: Stage) -> None:
    invoice, _ = ended(stage)
    note = corrections.credit_invoice(stage.finance, invoice.id, reason="Billed in error", now=delivery.AFTER)

    root = tree(note)

    check_arithmetic(root)
    assert root.findtext(f".//{RAM}TypeCode") == "381"
    assert root.findtext(f".//{RAM}InvoiceReferencedDocument/{RAM}IssuerAssignedID") == invoice.number
    assert summed(root)["GrandTotalAmount"] == Decimal("3925.00")
    printed, original = sheet(note, Language.CHINESE), sheet(invoice, Language.CHINESE)
    assert ("原单据", invoice.number) in printed.facts
    assert [row.description for row in printed.rows] == [
        f"冲减 {invoice.number} 第 {n} 行：{row.description}" for n, row in enumerate(original.rows, start=1)
    ]


@pytest.mark.parametrize("kind", list(LineKind))
def test_every_kind_of_line_has_words_in_both_languages(stage: Stage, kind: LineKind) -> None:
    invoice, _ = ended(stage)
    terms = Terms.from_document(invoice.contract.terms)
    line = invoice.lines.get(n=1)
    line.kind = kind
    if kind in {LineKind.FEE, LineKind.COMMISSION, LineKind.VOUCHER}:
        line.offering = None
    line.description = "Voucher V-1" if kind is LineKind.VOUCHER else "Said in English"

    words = description(line, invoice, terms, Language.CHINESE)

    names = (terms.offerings[0].name, terms.offerings[0].place, "SLA", "V-1")
    for name in names:
        words = words.replace(name, "")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words)
    assert not any(letter.isascii() and letter.isalpha() for letter in words)
    assert description(line, invoice, terms, Language.ENGLISH) == line.description


@pytest.mark.parametrize("language", list(Language))
def test_a_pdf_says_in_its_language_what_the_document_says(stage: Stage, language: Language) -> None:
    for document in ended(stage):
        printed = sheet(document, language)
        reader = PdfReader(io.BytesIO(pdf.render(printed)))
        text = "".join(page.extract_text() for page in reader.pages).replace("\n", "").replace(" ", "")
        assert printed.number in text
        assert printed.total[1].replace(" ", "") in text
        for party in printed.parties:
            assert party.name.replace(" ", "") in text
        for row in printed.rows:
            assert row.description.replace(" ", "") in text
            assert row.amount in text


def test_the_chinese_document_has_chinese_heads_and_the_english_one_none(stage: Stage) -> None:
    invoice, _ = ended(stage)

    assert sheet(invoice, Language.CHINESE).title == "账单"
    assert sheet(invoice, Language.CHINESE).rows[-1].description == "交易服务费"
    english = sheet(invoice, Language.ENGLISH)
    assert all(row.description.isascii() for row in english.rows)
    assert english.total == ("Total", "3,925.00 CNY")


def test_the_same_document_prints_the_same_bytes_with_its_glyphs_inside(stage: Stage) -> None:
    invoice, _ = ended(stage)
    printed = sheet(invoice, Language.CHINESE)

    first = pdf.render(printed)

    assert first == pdf.render(printed)
    assert b"/FontFile2" in first
    assert len(first) < 100_000


def test_a_document_of_many_lines_goes_over_pages_with_its_head_on_each(stage: Stage) -> None:
    invoice, _ = ended(stage)
    printed = sheet(invoice, Language.ENGLISH)
    from dataclasses import replace

    long = replace(printed, rows=printed.rows * 40)

    reader = PdfReader(io.BytesIO(pdf.render(long)))

    assert len(reader.pages) > 3
    assert all("Description" in page.extract_text() for page in reader.pages[:-1])
    assert f"page {len(reader.pages)}" in reader.pages[-1].extract_text()


def test_what_a_name_has_of_markup_is_printed_and_not_obeyed(stage: Stage) -> None:
    from dataclasses import replace

    invoice, _ = ended(stage)
    printed = sheet(invoice, Language.ENGLISH)
    hostile = replace(
        printed, parties=(replace(printed.parties[0], name="A <b>& Sons</b> <img src='x'/>"), printed.parties[1])
    )

    text = PdfReader(io.BytesIO(pdf.render(hostile))).pages[0].extract_text()

    assert "<b>& Sons</b>" in text
    assert Invoice.objects.filter(side=Side.CUSTOMER, reason=Reason.CONTRACT_END).count() == 1


def test_a_letter_that_the_font_lacks_is_a_box_and_none_is_missing_without_a_sign(stage: Stage) -> None:
    from dataclasses import replace

    printed = sheet(ended(stage)[0], Language.ENGLISH)
    named = replace(
        printed, parties=(replace(printed.parties[0], name="🚀 שלום 甲　乙 👩\u200d💻 \u202eé"), printed.parties[1])
    )

    text = PdfReader(io.BytesIO(pdf.render(named))).pages[0].extract_text()

    assert "□ □□□□ 甲 乙 □□ é" in text.replace("\u200d", "")


def api_paths(document: Invoice) -> list[str]:
    from accounts.foundation import ids

    kind, prefix = ("invoices", "inv") if document.side == Side.CUSTOMER else ("statements", "stm")
    return [f"/v1/{kind}/{ids.spell(prefix, document.id)}/document.{ending}" for ending in ("pdf", "html", "xml")]


def test_the_parties_and_finance_get_the_document_and_nobody_else(stage: Stage) -> None:
    from accounts.organisations.models import Organisation
    from accounts.organisations.rules import Role
    from tests.accounts import cast as people
    from tests.api.caller import Api

    invoice, statement = ended(stage)

    def caller(organisation: Organisation, name: str, role: Role) -> Any:
        return Api.signed_in(people.member(organisation, name, role))

    buyer = caller(stage.buyer, "buyer", Role.BUYER_VIEWER)
    seller = caller(stage.provider, "seller", Role.PROVIDER_ADMIN)
    clerk = caller(stage.exchange, "clerk", Role.FINANCE_VIEWER)
    stranger = caller(people.organisation("Lanting Robotics"), "stranger", Role.BUYER_ADMIN)
    for document, own, other in ((invoice, buyer, seller), (statement, seller, buyer)):
        for path in api_paths(document):
            assert own.get(path).status_code == clerk.get(path).status_code == 200
            assert other.get(path).status_code == 403
        assert own.get(api_paths(document)[0], language="zh")["Content-Type"] == "application/pdf"
        assert "账单" in own.get(api_paths(invoice)[1], language="zh").content.decode() or document is statement
    assert stranger.get(api_paths(invoice)[0]).status_code == 404
    refused = buyer.get(api_paths(invoice)[0], language="fr")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "language")
