"""Statements as CSV: UTF-8, commas, a header with our names, one movement a row; an amount below zero went out.

A column `balance`, what the account holds after each movement, is checked from row to row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from accounts.foundation import tables
from accounts.foundation.tables import LONGEST_CELL_SHOWN, Row
from billing.bank.rules import EARLIEST, LATEST, MAX_ENTRIES, Entry, Problem, Statement, Unreadable, check
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, Money, format_minor, parse_minor

REQUIRED: Final = ("account", "bank_reference", "booked_on", "amount", "currency", "counterparty")
OPTIONAL: Final = ("value_date", "counterparty_account", "remittance", "balance")
LONGEST: Final[Mapping[str, int]] = {
    "account": 64, "bank_reference": 64, "counterparty": 200, "counterparty_account": 64, "remittance": 200,
}  # fmt: skip
MAX_MINOR: Final = 10**12
MAX_BALANCE_MINOR: Final = 10**15


def read(text: str) -> Statement:
    """Return the statement in a file; raises Unreadable with every problem of every row."""
    rows = tables.read_csv(text, required=REQUIRED, optional=OPTIONAL, most=MAX_ENTRIES)
    problems: list[Problem] = []
    entries = []
    accounts: set[str] = set()
    for row in rows:
        entry = None if row.problems else _entry(row)
        problems += row.problems
        if entry is not None:
            entries.append(entry)
            accounts.add(row.text("account"))
    if len(accounts) > 1:
        problems.append(Problem(0, "account", ", ".join(sorted(accounts))[:60], "one account in a file"))
    if problems:
        raise Unreadable(problems)
    statement = Statement("csv", accounts.pop(), "", entries[0].amount.currency, None, None, tuple(entries))
    check(statement)
    return _with_balances(statement, rows) if "balance" in rows[0].cells else statement


def _with_balances(statement: Statement, rows: Sequence[Row]) -> Statement:
    """Return the statement with its balances; raises Unreadable naming the row whose balance does not follow."""
    problems: list[Problem] = []
    opening: int | None = None
    balance = 0
    for row, entry in zip(rows, statement.entries, strict=True):
        moved = entry.amount.amount_minor if entry.is_credit else -entry.amount.amount_minor
        said = _balance(row, statement.currency)
        if said is None:
            problems += row.problems
            continue
        if opening is None:
            opening = said - moved
        elif said != balance + moved and not problems:
            reached = format_minor(balance + moved, statement.currency)
            expected = f"{reached}, which the row before and this amount lead to (oldest first)"
            problems.append(Problem(row.number, "balance", row.text("balance")[:LONGEST_CELL_SHOWN], expected))
        balance = said
    if problems:
        raise Unreadable(problems)
    assert opening is not None, "there is a row, and each has its balance"
    return replace(statement, opening=Money(opening, statement.currency), closing=Money(balance, statement.currency))


def _balance(row: Row, currency: str) -> int | None:
    try:
        minor = parse_minor(row.text("balance"), currency)
    except MeasureError:
        minor = None
    if minor is None or abs(minor) > MAX_BALANCE_MINOR:
        row.wrong("balance", row.text("balance"), "a plain amount such as 1012.50, in each row or in none")
        return None
    return minor


def _entry(row: Row) -> Entry | None:
    """Return the movement, or None when something of it cannot be read."""
    money = _money(row)
    booked = _day(row, "booked_on")
    value = _day(row, "value_date") if row.text("value_date") else booked
    texts = {name: _text(row, name) for name in LONGEST}
    if row.problems or money is None or booked is None:
        return None
    return Entry(
        row=row.number,
        bank_reference=texts["bank_reference"],
        is_credit=money.amount_minor > 0,
        amount=Money(abs(money.amount_minor), money.currency),
        booked_on=booked,
        value_date=value or booked,
        counterparty=texts["counterparty"],
        counterparty_account=texts["counterparty_account"],
        remittance=texts["remittance"],
    )


def _money(row: Row) -> Money | None:
    currency = row.text("currency")
    if currency not in EXPONENTS:
        row.wrong("currency", currency, "a currency such as CNY")
        return None
    text = row.text("amount")
    sign = -1 if text.startswith("-") else 1
    try:
        minor = 0 if text.startswith("--") else sign * parse_minor(text.removeprefix("-"), currency)
    except MeasureError:
        minor = 0
    if not 0 < abs(minor) <= MAX_MINOR:
        row.wrong("amount", text, "a plain amount other than zero, such as 12.50 or -12.50")
        return None
    return Money(minor, currency)


def _day(row: Row, name: str) -> date | None:
    found = a_date(row.text(name))
    if found is None:
        row.wrong(name, row.text(name), "a date such as 2026-05-01, from 2020 to 2099")
    return found


def _text(row: Row, name: str) -> str:
    text = row.text(name)
    if not text and name in REQUIRED:
        row.wrong(name, "", "a text")
    elif len(text) > LONGEST[name] or not text.isprintable():
        row.wrong(name, text, f"up to {LONGEST[name]} printable characters")
    return text


def a_date(text: str) -> date | None:
    """Return a calendar date within the years of the books, or None."""
    if len(text) != 10 or not text.isascii():
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None
