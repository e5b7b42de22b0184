"""The columns of the tables that are taken away: documents, the books, payments, and what finance works on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from accounts.foundation import ids
from billing.exports.focus import in_currency, unit_price
from billing.exports.tables import Column
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.rules import Side
from billing.journals.models import JournalLine
from billing.ledger.chart import CHART, Code
from billing.ledger.models import Hold, LedgerEntry
from billing.ledger.queries import TrialBalanceRow
from billing.payments.models import BankReceipt, TopUp
from billing.payouts.queries import Payable
from billing.reconciliation.models import Break
from billing.reconciliation.rules import Item

PERCENT_PPM: Final = 10_000
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class BalanceLine:
    """A line of a trial balance with its currency."""

    currency: str
    row: TrialBalanceRow


def _money(name: str, field: str) -> Column[Any]:
    """A column of an amount in the row's own currency."""
    return Column(name, lambda row: in_currency(getattr(row, field), row.currency))


def _owner(name: str, id_of: Callable[[Any], Any]) -> Column[Any]:
    return Column(name, lambda row: ids.spell("org", id_of(row)) if id_of(row) else None)


def _document_id(invoice: Invoice) -> str:
    return ids.spell("inv" if invoice.side == Side.CUSTOMER else "stm", invoice.id)


DOCUMENTS: Final[tuple[Column[Invoice], ...]] = (
    Column("number", lambda row: row.number),
    Column("id", _document_id),
    Column("kind", lambda row: row.kind),
    Column("status", lambda row: row.status),
    _owner("organisation", lambda row: row.organisation_id),
    Column("organisation_name", lambda row: row.organisation.name),
    Column("seller", lambda row: str(row.seller["legal_name"])),
    Column("buyer", lambda row: str(row.buyer["legal_name"])),
    Column("contract", lambda row: ids.spell("ctr", row.contract_id)),
    Column("currency", lambda row: row.currency),
    _money("net", "net_minor"),
    _money("tax", "tax_minor"),
    _money("total", "total_minor"),
    _money("paid", "paid_minor"),
    _money("credited", "credited_minor"),
    _money("written_off", "written_off_minor"),
    Column("period_start", lambda row: row.period_start),
    Column("period_end", lambda row: row.period_end),
    Column("issued_at", lambda row: row.issued_at),
    Column("due_at", lambda row: row.due_at),
    Column("paid_at", lambda row: row.paid_at),
)


def _price(line: InvoiceLine) -> Decimal | None:
    return None if line.price_micros is None else unit_price(line.price_micros)


def _share(line: InvoiceLine) -> Decimal | None:
    return None if line.share_base_minor is None else in_currency(line.share_base_minor, line.invoice.currency)


LINES: Final[tuple[Column[InvoiceLine], ...]] = (
    Column("number", lambda row: row.invoice.number),
    Column("line", lambda row: row.n),
    Column("kind", lambda row: row.kind),
    Column("description", lambda row: row.description),
    Column("quantity", lambda row: row.quantity),
    Column("unit", lambda row: row.unit),
    Column("unit_price", _price),
    Column("base_quantity", lambda row: row.base_quantity),
    Column("share_of", _share),
    Column("amount", lambda row: in_currency(row.amount_minor, row.invoice.currency)),
    Column("currency", lambda row: row.invoice.currency),
    Column("tax_category", lambda row: row.tax_category),
    Column("tax_percent", lambda row: Decimal(row.tax_rate_ppm) / PERCENT_PPM),
    Column("service_start", lambda row: row.service_start),
    Column("service_end", lambda row: row.service_end),
)

ENTRIES: Final[tuple[Column[LedgerEntry], ...]] = (
    Column("transaction", lambda row: ids.spell("txn", row.transaction_id)),
    Column("effective_at", lambda row: row.transaction.effective_at),
    Column("posted_at", lambda row: row.transaction.posted_at),
    Column("code", lambda row: row.account.code),
    Column("account", lambda row: CHART[Code(row.account.code)].name),
    _owner("organisation", lambda row: row.account.organisation_id),
    Column("currency", lambda row: row.currency),
    Column("debit", lambda row: in_currency(row.amount_minor, row.currency) if row.amount_minor > 0 else None),
    Column("credit", lambda row: in_currency(-row.amount_minor, row.currency) if row.amount_minor < 0 else None),
    _money("balance_after", "balance_after_minor"),
    Column("memo", lambda row: row.transaction.memo),
    Column("source_type", lambda row: row.transaction.source_type),
    Column("source_id", lambda row: str(row.transaction.source_id)),
    Column("purpose", lambda row: row.transaction.purpose),
)

TOP_UPS: Final[tuple[Column[TopUp], ...]] = (
    Column("id", lambda row: ids.spell("top", row.id)),
    Column("reference", lambda row: row.reference),
    Column("status", lambda row: row.status),
    Column("method", lambda row: row.method),
    _owner("organisation", lambda row: row.organisation_id),
    Column("organisation_name", lambda row: row.organisation.name),
    Column("currency", lambda row: row.currency),
    _money("amount", "amount_minor"),
    Column("created_at", lambda row: row.created_at),
    Column("confirmed_at", lambda row: row.confirmed_at),
    Column("ended_at", lambda row: row.ended_at),
)

RECEIPTS: Final[tuple[Column[BankReceipt], ...]] = (
    Column("id", lambda row: ids.spell("rcp", row.id)),
    Column("bank_reference", lambda row: row.bank_reference),
    Column("status", lambda row: row.status),
    Column("value_date", lambda row: row.value_date),
    Column("payer", lambda row: row.payer),
    Column("remittance", lambda row: row.remittance),
    Column("currency", lambda row: row.currency),
    _money("amount", "amount_minor"),
    Column("top_up", lambda row: row.top_up.reference if row.top_up else None),
    Column("recorded_at", lambda row: row.recorded_at),
    Column("matched_at", lambda row: row.matched_at),
)

HOLDS: Final[tuple[Column[Hold], ...]] = (
    Column("id", lambda row: ids.spell("hld", row.id)),
    _owner("organisation", lambda row: row.organisation_id),
    Column("project", lambda row: row.project.name),
    Column("source_type", lambda row: row.source_type),
    Column("source_id", lambda row: str(row.source_id)),
    Column("currency", lambda row: row.currency),
    _money("held", "amount_minor"),
    _money("original", "original_minor"),
    _money("grown", "grown_minor"),
    _money("captured", "captured_minor"),
    _money("released", "released_minor"),
    Column("created_at", lambda row: row.created_at),
    Column("closed_at", lambda row: row.closed_at),
)


def _outstanding(invoice: Invoice) -> Decimal:
    settled_minor = invoice.paid_minor + invoice.credited_minor + invoice.written_off_minor
    return in_currency(invoice.total_minor - settled_minor, invoice.currency)


# `as_of` is annotated: the instant of the file. Below zero days the invoice is not due yet.
RECEIVABLES: Final[tuple[Column[Any], ...]] = (
    *(column for column in DOCUMENTS if column.name not in {"kind", "seller", "paid_at"}),
    Column("outstanding", _outstanding),
    Column("days_late", lambda row: (row.as_of - row.due_at) // DAY),
)

PAYABLES: Final[tuple[Column[Payable], ...]] = (
    _owner("organisation", lambda row: row.organisation_id),
    Column("organisation_name", lambda row: row.organisation_name),
    Column("currency", lambda row: row.currency),
    _money("pending", "pending_minor"),
    _money("available", "available_minor"),
    _money("reserved", "reserved_minor"),
    Column("next_release_at", lambda row: row.next_release_at),
)

PAYOUTS: Final[tuple[Column[Any], ...]] = (
    Column("id", lambda row: ids.spell("pyt", row.id)),
    Column("status", lambda row: row.status),
    _owner("organisation", lambda row: row.organisation_id),
    Column("organisation_name", lambda row: row.organisation.name),
    Column("currency", lambda row: row.currency),
    _money("amount", "accrued_minor"),
    Column("method", lambda row: row.method),
    Column("opened_at", lambda row: row.opened_at),
    Column("due_at", lambda row: row.due_at),
    Column("approved_at", lambda row: row.approved_at),
    Column("sent_at", lambda row: row.sent_at),
    Column("bank_reference", lambda row: row.bank_reference),
    Column("ended_at", lambda row: row.ended_at),
    Column("failure", lambda row: row.failure),
)

TRIAL_BALANCE: Final[tuple[Column[BalanceLine], ...]] = (
    Column("code", lambda line: line.row.code),
    Column("account", lambda line: line.row.name),
    Column("kind", lambda line: line.row.kind),
    Column("accounts", lambda line: line.row.accounts),
    Column("currency", lambda line: line.currency),
    Column("debit", lambda line: in_currency(line.row.debit_minor, line.currency)),
    Column("credit", lambda line: in_currency(line.row.credit_minor, line.currency)),
    Column("balance", lambda line: in_currency(line.row.balance_minor, line.currency)),
)


def _amount(row: Item | Break) -> Decimal | None:
    return None if row.amount_minor is None else in_currency(row.amount_minor, row.currency)


UNMATCHED: Final[tuple[Column[Item], ...]] = (
    Column("kind", lambda row: row.kind),
    Column("since", lambda row: row.since),
    _owner("organisation", lambda row: row.organisation_id),
    Column("organisation_name", lambda row: row.organisation_name),
    Column("subject", lambda row: row.subject_key),
    Column("amount", _amount),
    Column("currency", lambda row: row.currency),
    Column("cause", lambda row: row.cause),
)

BREAKS: Final[tuple[Column[Break], ...]] = (
    Column("id", lambda row: ids.spell("brk", row.id)),
    Column("kind", lambda row: row.kind),
    Column("status", lambda row: row.status),
    Column("since", lambda row: row.since),
    _owner("organisation", lambda row: row.organisation_id),
    Column("organisation_name", lambda row: row.organisation.name if row.organisation else None),
    Column("subject", lambda row: row.subject_key),
    Column("amount", _amount),
    Column("currency", lambda row: row.currency),
    Column("cause", lambda row: row.cause),
    Column("owner", lambda row: row.owner.display_name if row.owner else None),
    Column("difference_gone_at", lambda row: row.difference_gone_at),
    Column("explanation", lambda row: row.explanation),
    Column("journal", lambda row: ids.spell("jrn", row.journal_id) if row.journal_id else None),
    Column("resolved_by", lambda row: row.resolved_by.display_name if row.resolved_by else None),
    Column("resolved_at", lambda row: row.resolved_at),
)

JOURNALS: Final[tuple[Column[JournalLine], ...]] = (
    Column("journal", lambda line: ids.spell("jrn", line.journal_id)),
    Column("line", lambda line: line.n),
    Column("kind", lambda line: line.journal.kind),
    Column("status", lambda line: line.journal.status),
    Column("effective_at", lambda line: line.journal.effective_at),
    Column("reason", lambda line: line.journal.reason),
    Column("code", lambda line: line.code),
    Column("account", lambda line: CHART[Code(line.code)].name),
    _owner("organisation", lambda line: line.organisation_id),
    Column("currency", lambda line: line.journal.currency),
    Column("debit", lambda line: in_currency(max(0, line.amount_minor), line.journal.currency)),
    Column("credit", lambda line: in_currency(max(0, -line.amount_minor), line.journal.currency)),
    Column("proposed_by", lambda line: line.journal.proposed_by.display_name),
    Column("decided_by", lambda line: line.journal.decided_by.display_name if line.journal.decided_by else None),
    Column("decided_at", lambda line: line.journal.decided_at),
)
