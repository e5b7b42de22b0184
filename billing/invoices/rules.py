"""An invoice's states, its number, and the posting that follows from its bill."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from billing.contracts.terms import PartyTerms
from billing.ledger.chart import Code
from billing.ledger.rules import Line, credit, debit
from billing.periods.rules import BOOKS_ZONE
from billing.rating.bills import SUPPLY, Bill, LineKind

ROUNDING: Final = "half_up"


class InvoiceKind(StrEnum):
    """Who a document is for; each kind has a number series of its own."""

    CUSTOMER = "customer"
    CREDIT_NOTE = "credit_note"
    PROVIDER_STATEMENT = "provider_statement"
    PROVIDER_CREDIT = "provider_credit"


class InvoiceStatus(StrEnum):
    """Where a document is in its life."""

    DRAFT = "draft"
    ISSUED = "issued"
    PAID = "paid"
    PAST_DUE = "past_due"
    DISPUTED = "disputed"
    WRITTEN_OFF = "written_off"


class Reason(StrEnum):
    """Why a document was drawn when it was."""

    CONTRACT_END = "contract_end"
    MONTH_END = "month_end"
    ON_DEMAND = "on_demand"
    CORRECTION = "correction"


class Side(StrEnum):
    """On which side of the exchange a charge is billed; once on each."""

    CUSTOMER = "customer"
    PROVIDER = "provider"


MOVES: Final[Mapping[InvoiceStatus, frozenset[InvoiceStatus]]] = {
    InvoiceStatus.DRAFT: frozenset({InvoiceStatus.ISSUED}),
    InvoiceStatus.ISSUED: frozenset({InvoiceStatus.PAID, InvoiceStatus.PAST_DUE, InvoiceStatus.DISPUTED}),
    InvoiceStatus.PAST_DUE: frozenset({InvoiceStatus.PAID, InvoiceStatus.DISPUTED, InvoiceStatus.WRITTEN_OFF}),
    InvoiceStatus.DISPUTED: frozenset(
        {InvoiceStatus.ISSUED, InvoiceStatus.PAID, InvoiceStatus.PAST_DUE, InvoiceStatus.WRITTEN_OFF}
    ),
    InvoiceStatus.PAID: frozenset(),
    InvoiceStatus.WRITTEN_OFF: frozenset(),
}


def may_move(current: InvoiceStatus, wanted: InvoiceStatus) -> bool:
    """Whether the move is one of the table's."""
    return wanted in MOVES[current]


# What the numbers of the first legal entity begin with; those of the second have a 2 behind it.
SERIES: Final[Mapping[InvoiceKind, str]] = {
    InvoiceKind.CUSTOMER: "INV",
    InvoiceKind.CREDIT_NOTE: "CN",
    InvoiceKind.PROVIDER_STATEMENT: "STM",
    InvoiceKind.PROVIDER_CREDIT: "SCN",
}

# Kinds whose amounts take back what another document charged.
NOTES: Final = frozenset({InvoiceKind.CREDIT_NOTE, InvoiceKind.PROVIDER_CREDIT})

# What provider and customer see alike; the rest is between the exchange and one of them.
_SUPPLIED: Final = (*SUPPLY, LineKind.RETURNED, LineKind.PAUSED)
SUPPLIED: Final = frozenset({*_SUPPLIED, LineKind.SLA_CREDIT})

# What is due of hours sold back less what is credited for them: with the new buyer's price it is the price agreed
# first, which the provider is paid, and the exchange's commission.
_OF_CAPACITY: Final = (*_SUPPLIED, LineKind.RESOLD, LineKind.RESALE)

# On these an amount may still be outstanding.
OPEN: Final = frozenset({InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE, InvoiceStatus.DISPUTED})


# A buyer may object to these: paid ones too, for what is prepaid is paid as it is issued.
DISPUTABLE: Final = frozenset({InvoiceStatus.ISSUED, InvoiceStatus.PAST_DUE, InvoiceStatus.PAID})


class Resolution(StrEnum):
    """How a dispute ended."""

    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


# UN/CEFACT 1001 document types (BT-3): 389 is a self-billed invoice, 261 a self-billed credit note.
TYPE_CODES: Final[Mapping[InvoiceKind, str]] = {
    InvoiceKind.CUSTOMER: "380",
    InvoiceKind.CREDIT_NOTE: "381",
    InvoiceKind.PROVIDER_STATEMENT: "389",
    InvoiceKind.PROVIDER_CREDIT: "261",
}


def kind_of(bill: Bill) -> InvoiceKind:
    """Return what a customer's bill is issued as: a negative one (credits only) as a credit note."""
    return InvoiceKind.CUSTOMER if bill.total_minor >= 0 else InvoiceKind.CREDIT_NOTE


def year_of(issued_at: datetime) -> int:
    """Return the year that a number counts in."""
    return issued_at.astimezone(BOOKS_ZONE).year


def entity_of(issuer: PartyTerms) -> str:
    """Return what tells a legal entity from another for its numbers: its tax id, else its name in law."""
    return issuer.tax_id or issuer.legal_name


def series_text(kind: InvoiceKind, place: int) -> str:
    """Spell the series of the n-th legal entity that draws documents of a kind: INV, INV2, INV3."""
    return SERIES[kind] if place == 1 else f"{SERIES[kind]}{place}"


def number_text(series: str, year: int, n: int) -> str:
    """Spell a number: INV-2026-000001."""
    return f"{series}-{year}-{n:06d}"


def customer_posting(bill: Bill, buyer_id: UUID, *, on_credit: bool) -> Sequence[Line]:
    """Return flow 3: the customer's wallet (or receivable) against revenue, credits, fee, vouchers and VAT."""
    return (
        debit(Code.RECEIVABLE if on_credit else Code.WALLET, bill.total_minor, buyer_id),
        *revenue_posting(_sums(bill), bill.tax_minor),
    )


def statement_posting(bill: Bill, provider_id: UUID) -> Sequence[Line]:
    """Return flow 3b: cost net of commission, the SLA clawback and input VAT against what the provider is owed."""
    return cost_posting(_sums(bill), bill.tax_minor, bill.total_minor, provider_id)


def revenue_posting(sums: Mapping[LineKind, int], tax_minor: int) -> Sequence[Line]:
    """Return the exchange's side of an invoice or a credit note: `sums` of its lines by kind, and its tax."""
    return (
        credit(Code.CAPACITY_REVENUE, sum(sums.get(kind, 0) for kind in _OF_CAPACITY)),
        credit(Code.SLA_CREDITS, sums.get(LineKind.SLA_CREDIT, 0)),
        credit(Code.FEE_INCOME, sums.get(LineKind.FEE, 0)),
        credit(Code.VOUCHERS, sums.get(LineKind.VOUCHER, 0)),
        credit(Code.OUTPUT_VAT, tax_minor),
    )


def cost_posting(sums: Mapping[LineKind, int], tax_minor: int, total_minor: int, provider_id: UUID) -> Sequence[Line]:
    """Return the posting of a statement or of a note on one."""
    return (
        debit(Code.COST_OF_CAPACITY, sum(sums.get(kind, 0) for kind in (*_OF_CAPACITY, LineKind.COMMISSION))),
        debit(Code.SLA_CLAWBACK, sums.get(LineKind.SLA_CREDIT, 0)),
        debit(Code.INPUT_VAT, tax_minor),
        credit(Code.PAYABLE_PENDING, total_minor, provider_id),
    )


def _sums(bill: Bill) -> Mapping[LineKind, int]:
    return {kind: bill.sum_minor(kind) for kind in LineKind}


class Claim(Protocol):
    """The amounts of an invoice, in minor units."""

    total_minor: int
    paid_minor: int
    credited_minor: int
    written_off_minor: int


def outstanding(claim: Claim) -> int:
    """Return what is still to be paid on an invoice."""
    return claim.total_minor - claim.paid_minor - claim.credited_minor - claim.written_off_minor
