"""What a bank's statement says, as plain values, and what is wrong with a file that cannot be one."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from accounts.foundation.tables import Problem as Problem
from accounts.foundation.tables import Unreadable as Unreadable
from catalog.measures.money import Money

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_ENTRIES: Final = 5_000
MAX_PROBLEMS: Final = 50  # shown; all are counted
EARLIEST: Final = date(2020, 1, 1)
LATEST: Final = date(2099, 12, 31)


@dataclass(frozen=True)
class Entry:
    """A booked movement. `amount` is what moved, above zero; `is_credit` says that it came in."""

    row: int
    bank_reference: str  # the bank's own id
    is_credit: bool
    amount: Money
    booked_on: date
    value_date: date
    counterparty: str
    counterparty_account: str
    remittance: str


@dataclass(frozen=True)
class Statement:
    """A statement of one account. Balances are minor units, negative when overdrawn; a CSV has none."""

    format: str
    account: str
    reference: str
    currency: str
    opening_minor: int | None
    closing_minor: int | None
    entries: tuple[Entry, ...]


def check(statement: Statement) -> None:
    """Raise Unreadable where entries repeat an id, or do not lead from one balance to the other."""
    problems: list[Problem] = []
    rows: dict[str, int] = {}
    for entry in statement.entries:
        if entry.bank_reference in rows:
            expected = f"an id that no other row has; row {rows[entry.bank_reference]} has it"
            problems.append(Problem(entry.row, "bank_reference", entry.bank_reference, expected))
        rows.setdefault(entry.bank_reference, entry.row)
        if entry.amount.currency != statement.currency:
            problems.append(Problem(entry.row, "currency", entry.amount.currency, statement.currency))
    if statement.opening_minor is not None and statement.closing_minor is not None and not problems:
        moved = sum(entry.amount.amount_minor * (1 if entry.is_credit else -1) for entry in statement.entries)
        if statement.opening_minor + moved != statement.closing_minor:
            reached = str(Money(statement.opening_minor + moved, statement.currency))
            closing = str(Money(statement.closing_minor, statement.currency))
            problems.append(Problem(0, "closing balance", closing, f"{reached}, which the entries lead to"))
    if problems:
        raise Unreadable(problems)
