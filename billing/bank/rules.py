"""What a bank's statement says, as plain values, and what is wrong with a file that cannot be one."""

from dataclasses import dataclass
from datetime import date, timedelta
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
    """A statement of one account. Balances are negative when overdrawn; a CSV has them with a column `balance`."""

    format: str
    account: str
    reference: str
    currency: str
    opening: Money | None
    closing: Money | None
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
    for name, balance in (("opening balance", statement.opening), ("closing balance", statement.closing)):
        if balance is not None and balance.currency != statement.currency:
            problems.append(Problem(0, name, str(balance), f"an amount in {statement.currency}"))
    if statement.opening is not None and statement.closing is not None and not problems:
        moved = sum(entry.amount.amount_minor * (1 if entry.is_credit else -1) for entry in statement.entries)
        reached = statement.opening + Money(moved, statement.currency)
        if reached != statement.closing:
            expected = f"{reached}, which the entries lead to"
            problems.append(Problem(0, "closing balance", str(statement.closing), expected))
    if problems:
        raise Unreadable(problems)


def check_days(statement: Statement, *, today: date) -> None:
    """Raise Unreadable where an entry is booked after tomorrow: what has not happened is on no statement."""
    latest = today + timedelta(days=1)  # it is tomorrow already where some banks are
    late = [entry for entry in statement.entries if entry.booked_on > latest]
    if late:
        expected = f"a day up to {latest}"
        raise Unreadable([Problem(entry.row, "booked_on", str(entry.booked_on), expected) for entry in late])
