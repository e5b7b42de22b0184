"""What stands on a printed document, in one of its languages: what PDF and HTML lay out, each in its way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.foundation import ids
from billing.contracts.terms import Terms
from billing.documents.words import METERS_ZH, Language, words
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import Side
from billing.periods.rules import BOOKS_ZONE
from billing.rating.bills import LineKind
from catalog.measures.money import format_minor
from catalog.measures.price import format_micros
from catalog.measures.units import unit

PPM_PER_PERCENT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Party:
    """A party as the document names it."""

    role: str
    name: str
    address: str
    tax_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line as text."""

    description: str
    quantity: str
    unit: str
    price: str
    rate: str
    amount: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole document as text, top to bottom."""

    language: Language
    title: str
    number: str
    facts: tuple[tuple[str, str], ...]
    parties: tuple[Party, Party]
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    sums: tuple[tuple[str, str], ...]
    total: tuple[str, str]
    notes: tuple[str, ...]
    page: str  # "INV-2026-000001, page {page}"


def sheet(document: Invoice, language: Language) -> Sheet:
    """Return an issued document as text; its lines, taxes and contract are looked up."""
    said = words(language)
    assert document.issued_at is not None, "a draft is not printed"
    lines = document.lines.select_related("offering__site").order_by("n")
    terms = Terms.from_document(document.contract.terms)
    sums = [(said["net"], grouped(document.net_minor, document.currency))]
    for tax in document.taxes.order_by("category", "rate_ppm"):
        label = said["vat"].format(rate=_percent(tax.rate_ppm), base=grouped(tax.base_minor, document.currency))
        sums.append((label, grouped(tax.tax_minor, document.currency)))
    return Sheet(
        language=language,
        title=said[document.kind],
        number=document.number,
        facts=_facts(document, language),
        parties=(_party(said["seller"], document.seller), _party(said["buyer"], document.buyer)),
        heads=tuple(said[head] for head in ("description", "quantity", "unit", "price", "rate", "amount")),
        rows=tuple(_row(line, document, description(line, document, terms, language), language) for line in lines),
        sums=tuple(sums),
        total=(said["total"], f"{grouped(document.total_minor, document.currency)} {document.currency}"),
        notes=_notes(document, language),
        page=said["page"].replace("{number}", document.number),
    )


def _facts(document: Invoice, language: Language) -> tuple[tuple[str, str], ...]:
    said = words(language)
    assert document.issued_at is not None, document.id
    facts = [
        (said["issued"], _when(document.issued_at)),
        (said["supplied"], f"{_when(document.period_start)} – {_when(document.period_end)}"),
        (said["contract"], ids.spell("ctr", document.contract_id)),
        (said["market"], document.contract.market_code),
        (said["currency"], document.currency),
    ]
    if document.corrects is not None:
        facts += [(said["corrects"], document.corrects.number), (said["because"], document.correction_reason)]
    if document.due_at is not None:
        facts.append((said["due"], _when(document.due_at)))
    return tuple(facts)


def _notes(document: Invoice, language: Language) -> tuple[str, ...]:
    said = words(language)
    notes = [said["zone"]]
    if document.side == Side.CUSTOMER:
        notes.append(said["not_a_fapiao"])
        if document.due_at is None and document.total_minor > 0:
            notes.insert(0, f"{said['settled']}.".replace("支付.", "支付。"))
    if document.synthetic:
        notes.insert(0, said["synthetic"])
    return (*notes, f"{said['digest']}: {document.digest}")


def _party(role: str, party: dict[str, str]) -> Party:
    return Party(role, party["legal_name"], party["address"], party["tax_id"])


def _row(line: InvoiceLine, document: Invoice, description: str, language: Language) -> Row:
    said = words(language)
    measured = unit(line.unit)
    if line.share_ppm is None:
        assert line.price_micros is not None, line
        quantity = _plain(f"{line.quantity:f}")
        unit_name = measured.name_en if language is Language.ENGLISH else measured.name_zh
        price = format_micros(line.price_micros)
        if line.base_quantity != 1:
            price = f"{price} {said['price_each'].format(base=f'{line.base_quantity:,}')}"
    else:
        assert line.share_base_minor is not None, line
        quantity = f"{_percent(line.share_ppm)} %"
        unit_name = f"{said['share_of']} {grouped(line.share_base_minor, document.currency)}"
        price = ""
    return Row(
        description=description,
        quantity=quantity,
        unit=unit_name,
        price=price,
        rate=f"{_percent(line.tax_rate_ppm)} %",
        amount=grouped(line.amount_minor, document.currency),
    )


def description(line: InvoiceLine, document: Invoice, terms: Terms, language: Language) -> str:
    """Say what a line is for: the stored English, or the same from what is stored of the line in Chinese."""
    if language is Language.ENGLISH:
        return line.description
    original = document.corrects
    if original is None:
        return _chinese(line, terms)
    taken = original.lines.select_related("offering__site").get(n=line.source["line"])
    return f"冲减 {original.number} 第 {taken.n} 行：{_chinese(taken, terms)}"


def _chinese(line: InvoiceLine, terms: Terms) -> str:
    kind, said = LineKind(line.kind), words(Language.CHINESE)
    if kind is LineKind.VOUCHER:
        return f"{said[kind]} {line.description.removeprefix(words(Language.ENGLISH)[kind]).strip()}"
    if line.offering is None:
        return said[kind]
    agreed = terms.offering(line.offering.id)
    where = f"{agreed.name}，{line.offering.site.name_zh or agreed.place}"
    if kind is LineKind.CAPACITY:
        assert line.price_micros is not None, line
        return f"{where}，{said[kind]} {format_micros(line.price_micros)}"
    if kind is LineKind.METERED:
        return f"{METERS_ZH.get(line.unit, unit(line.unit).name_zh)}，{where}"
    if kind in _OF_A_SPAN:
        span = f"{_when(line.service_start)} – {_when(line.service_end)}"
        return f"{said[kind]}{unit(agreed.unit).name_zh}，{span}"
    return f"{said[kind]}，{where}"


_OF_A_SPAN: Final = frozenset(
    {LineKind.SLA_CREDIT, LineKind.RETURNED, LineKind.PAUSED, LineKind.RESOLD, LineKind.RESALE}
)


def _when(instant: datetime) -> str:
    return f"{instant.astimezone(BOOKS_ZONE):%Y-%m-%d %H:%M}"


def _percent(ppm: int) -> str:
    whole, rest = divmod(ppm, PPM_PER_PERCENT)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    """Drop zeros at the end and group thousands: 1234567.500000000 is 1,234,567.5."""
    text = text.rstrip("0").rstrip(".") if "." in text else text
    whole, _, rest = text.partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "") if whole not in ("", "-0") else text


def grouped(amount_minor: int, currency: str) -> str:
    """Return an amount with thousands separated."""
    text = format_minor(abs(amount_minor), currency)
    whole, _, rest = text.partition(".")
    return f"{'-' if amount_minor < 0 else ''}{int(whole):,}" + (f".{rest}" if rest else "")
