"""Writes a bill down as a document: draft, lines, taxes, and then its number, after which nothing changes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import rfc8785
from django.db import connection
from django.db.models import Count, Sum

from accounts.foundation import ids
from billing.contracts.models import Contract
from billing.contracts.terms import PartyTerms, Terms
from billing.invoices import numbering, rules, wording
from billing.invoices.models import Invoice, InvoiceCounter, InvoiceLine, InvoiceTax
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Reason, Side
from billing.rating import charges as rating_charges
from billing.rating.bills import Bill, Line, LineKind
from billing.rating.models import Charge
from billing.rating.quantities import DECIMALS, exact_decimal, printed_decimal

FORMAT: Final = "invoice/1"
BLOCK: Final = 1_000  # rows of one statement


@dataclass(frozen=True, slots=True)
class Draft:
    """A bill with everything its document says besides; `rows` are the charges that the bill was made of."""

    contract: Contract
    terms: Terms
    kind: InvoiceKind
    side: Side
    reason: Reason
    cutoff_at: datetime
    bill: Bill
    rows: Sequence[Charge]
    values: Sequence[rating_charges.Charge]
    pay_within: timedelta | None = None

    @property
    def seller(self) -> PartyTerms:
        """Who supplies: the exchange to customers, the provider to the exchange."""
        return self.terms.exchange if self.side is Side.CUSTOMER else self.terms.provider

    @property
    def buyer(self) -> PartyTerms:
        """Who is supplied."""
        return self.terms.buyer if self.side is Side.CUSTOMER else self.terms.exchange

    @property
    def organisation_id(self) -> UUID:
        """Whose document it is; the other party is the exchange."""
        return self.contract.buyer_id if self.side is Side.CUSTOMER else self.contract.provider_id


@dataclass(frozen=True, slots=True)
class Document:
    """A stored draft with its lines and taxes, which is to be issued."""

    invoice: Invoice
    lines: Sequence[InvoiceLine]
    taxes: Sequence[InvoiceTax]
    pay_within: timedelta | None = None


def issue(draft: Draft, *, now: datetime) -> Invoice:
    """Store a bill and issue it; see issue_all."""
    (invoice,) = issue_all([draft], now=now)
    return invoice


def issue_all(drafts: Sequence[Draft], *, now: datetime) -> list[Invoice]:
    """Store bills and give each the next number of its series; the caller posts them in the same transaction."""
    documents = _store_all(drafts, now=now)
    finalise_all(documents, now=now)
    return [document.invoice for document in documents]


def finalise_all(documents: Sequence[Document], *, now: datetime) -> None:
    """Give stored drafts the next numbers of their series; nothing but their state changes from then on.

    The counter's row stays locked until the commit, so that a rolled back document leaves no gap. A document
    is never issued before the one with the number before it, whatever the caller's clock says.
    """
    year = rules.year_of(now)
    by_series: dict[str, list[Document]] = {}
    for document in documents:
        by_series.setdefault(document.invoice.series, []).append(document)
    for series in sorted(by_series):  # counters are locked in this order
        counter = numbering.locked_counter(series, year, now=now)
        counter.last_issued_at = max(counter.last_issued_at, now)
        for document in by_series[series]:
            counter.last += 1
            _number(document, year, counter)
        counter.save(update_fields=["last", "last_issued_at"])
    invoices = [document.invoice for document in documents]
    Invoice.objects.bulk_update(
        invoices, ["year", "n", "number", "issued_at", "due_at", "status", "digest"], batch_size=BLOCK
    )


def _number(document: Document, year: int, counter: InvoiceCounter) -> None:
    invoice = document.invoice
    invoice.year, invoice.n = year, counter.last
    invoice.number = rules.number_text(invoice.series, year, counter.last)
    invoice.issued_at = counter.last_issued_at
    invoice.due_at = None if document.pay_within is None else invoice.issued_at + document.pay_within
    invoice.status = InvoiceStatus.ISSUED
    invoice.digest = _digest(document)


def sums(document: Invoice) -> dict[LineKind, int]:
    """Return what the lines of a document come to, by kind."""
    lines = document.lines.order_by().values_list("kind").annotate(Sum("amount_minor"))
    return {LineKind(kind): int(amount) for kind, amount in lines}


def digest(invoice: Invoice) -> str:
    """Return the SHA-256 (hex) of what a stored document says, in canonical form (RFC 8785)."""
    lines, taxes = invoice.lines.order_by("n"), invoice.taxes.order_by("category", "rate_ppm")
    return _digest(Document(invoice, list(lines), list(taxes)))


def _digest(document: Document) -> str:
    return hashlib.sha256(rfc8785.dumps(_content(document))).hexdigest()


def _store_all(drafts: Sequence[Draft], *, now: datetime) -> list[Document]:
    earlier = _counts(drafts)
    # The exchange draws statements too, on behalf of providers.
    issuers = dict.fromkeys((draft.terms.exchange, draft.kind) for draft in drafts)  # in the order of their numbers
    series = {issuer: numbering.series_of(*issuer) for issuer in issuers}
    documents = []
    for draft in drafts:
        invoice = _invoice(draft, earlier.get((draft.contract.id, draft.side), 0) + 1, now=now)
        invoice.series = series[draft.terms.exchange, draft.kind]
        lines = [_line(draft, invoice, line, n) for n, line in enumerate(draft.bill.lines, start=1)]
        taxes = [
            InvoiceTax(
                invoice=invoice,
                category=total.tax.category,
                rate_ppm=total.tax.rate_ppm,
                base_minor=total.base_minor,
                tax_minor=total.tax_minor,
            )
            for total in draft.bill.taxes
        ]
        documents.append(Document(invoice, lines, taxes, draft.pay_within))
    Invoice.objects.bulk_create([document.invoice for document in documents], batch_size=BLOCK)
    InvoiceLine.objects.bulk_create([line for document in documents for line in document.lines], batch_size=BLOCK)
    _note_billed(drafts, documents)
    InvoiceTax.objects.bulk_create([tax for document in documents for tax in document.taxes], batch_size=BLOCK)
    return documents


def _counts(drafts: Sequence[Draft]) -> dict[tuple[UUID, Side], int]:
    """Return how many documents their contracts have of each side: steady under the contracts' locks."""
    found = Invoice.objects.filter(contract__in=[draft.contract for draft in drafts]).order_by()
    counts = found.values_list("contract_id", "side").annotate(Count("id"))
    return {(contract_id, Side(side)): count for contract_id, side, count in counts}


def _note_billed(drafts: Sequence[Draft], documents: Sequence[Document]) -> None:
    """Write down on which line each charge is: most of what a document writes, so it is copied."""
    columns = "id, charge_id, side, line_id"
    with connection.cursor() as cursor, cursor.copy(f"COPY billing_billedcharge ({columns}) FROM STDIN") as copy:
        for draft, document in zip(drafts, documents, strict=True):
            for row, line in zip(document.lines, draft.bill.lines, strict=True):
                fresh = ids.new_ids(len(line.charges))
                copy.write(
                    "".join(
                        f"{id_}\t{draft.rows[position].id}\t{draft.side}\t{row.id}\n"
                        for id_, position in zip(fresh, line.charges, strict=True)
                    )
                )


def _invoice(draft: Draft, place: int, *, now: datetime) -> Invoice:
    bill, contract = draft.bill, draft.contract
    return Invoice(
        kind=draft.kind,
        reason=draft.reason,
        contract=contract,
        contract_n=place,
        side=draft.side,
        organisation_id=draft.organisation_id,
        project_id=contract.project_id if draft.side is Side.CUSTOMER else None,
        currency=bill.currency,
        period_start=min(line.starts_at for line in bill.lines),
        period_end=max(line.ends_at for line in bill.lines),
        cutoff_at=draft.cutoff_at,
        net_minor=bill.net_minor,
        tax_minor=bill.tax_minor,
        total_minor=bill.total_minor,
        rounding=rules.ROUNDING,
        seller=draft.seller.to_document(),
        buyer=draft.buyer.to_document(),
        created_at=now,
        synthetic=contract.synthetic,
        status=InvoiceStatus.DRAFT,
    )


def _line(draft: Draft, invoice: Invoice, line: Line, n: int) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        n=n,
        kind=line.kind,
        description=wording.description(line, [draft.values[position] for position in line.charges], draft.terms),
        offering_id=line.offering_id,
        project_id=invoice.project_id,
        unit=line.unit,
        quantity=printed_decimal(line.quantity),
        raw_quantity=exact_decimal(line.raw_quantity),
        raw_per_unit=line.raw_per_unit,
        price_micros=line.price_micros,
        base_quantity=line.base_quantity,
        share_ppm=line.share_ppm,
        share_base_minor=line.share_base_minor,
        amount_minor=line.amount_minor,
        tax_category=line.tax.category,
        tax_rate_ppm=line.tax.rate_ppm,
        service_start=line.starts_at,
        service_end=line.ends_at,
        source=_source(draft, line),
    )


def _source(draft: Draft, line: Line) -> dict[str, Any]:
    """Say where a line came from: the contract, what was supplied, and the charges behind it with their digest."""
    rows = [draft.rows[position] for position in line.charges]
    source: dict[str, Any] = {
        "contract": ids.spell("ctr", draft.contract.id),
        "order_source": {"type": draft.contract.source_type, "id": str(draft.contract.source_id)},
        "terms_digest": draft.contract.terms_digest,
    }
    if line.offering_id is not None:
        offering = draft.terms.offering(line.offering_id)
        source |= {
            "offering": ids.spell("ofr", line.offering_id),
            "cell": offering.cell,
            "meter": line.unit if line.price_micros is not None else offering.unit,
            "rate_card_version": offering.rate_card_version,
            "charges": len(rows),
            "usage_events": len({row.usage_event_id for row in rows if row.usage_event_id is not None}),
            "charges_digest": _charges_digest(rows),
        }
    elif line.kind is LineKind.VOUCHER:
        source["voucher"] = line.label
    else:
        source["fee_version"] = draft.terms.fees.version
    return source


def _charges_digest(rows: Iterable[Charge]) -> str:
    texts = sorted(
        f"{row.id}:{row.usage_event_id}:{row.kind}:{row.raw_quantity:f}/{row.raw_per_unit}:{row.price_micros}"
        for row in rows
    )
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _content(document: Document) -> dict[str, Any]:
    invoice = document.invoice
    assert invoice.issued_at is not None, "a draft has no content yet"
    correction = {}
    if invoice.corrects is not None:
        correction = {"corrects": invoice.corrects.number, "because": invoice.correction_reason}
    return correction | {
        "format": FORMAT,
        "number": invoice.number,
        "kind": str(invoice.kind),
        "issued_at": _utc(invoice.issued_at),
        "due_at": _utc(invoice.due_at) if invoice.due_at else None,
        "currency": invoice.currency,
        "contract": str(invoice.contract_id),
        "seller": invoice.seller,
        "buyer": invoice.buyer,
        "period": [_utc(invoice.period_start), _utc(invoice.period_end)],
        # Amounts as text: canonical JSON has no exact integers beyond 2^53.
        "net": str(invoice.net_minor),
        "tax": str(invoice.tax_minor),
        "total": str(invoice.total_minor),
        "lines": [
            {
                "n": line.n,
                "kind": str(line.kind),
                "description": line.description,
                "quantity": f"{Decimal(line.raw_quantity):.{DECIMALS}f}/{line.raw_per_unit}",
                "unit": line.unit,
                "price_micros": str(line.price_micros),
                "base_quantity": str(line.base_quantity),
                "share_ppm": line.share_ppm,
                "share_base": str(line.share_base_minor),
                "amount": str(line.amount_minor),
                "tax": [line.tax_category, line.tax_rate_ppm],
                "service": [_utc(line.service_start), _utc(line.service_end)],
                "source": line.source,
            }
            for line in document.lines
        ],
        "taxes": [
            [total.category, total.rate_ppm, str(total.base_minor), str(total.tax_minor)] for total in document.taxes
        ],
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
