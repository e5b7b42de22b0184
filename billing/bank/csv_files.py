"""Statements as CSV: UTF-8, commas, a header with our names, one movement a row; an amount below zero went out."""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from billing.bank.rules import EARLIEST, LATEST, MAX_ENTRIES, Entry, Problem, Statement, Unreadable, check
from catalog.measures.errors import MeasureError
from catalog.measures.money import EXPONENTS, Money, parse_minor

REQUIRED: Final = ("account", "bank_reference", "booked_on", "amount", "currency", "counterparty")
OPTIONAL: Final = ("value_date", "counterparty_account", "remittance")
LONGEST: Final[Mapping[str, int]] = {
    "account": 64, "bank_reference": 64, "counterparty": 200, "counterparty_account": 64, "remittance": 200,
}  # fmt: skip
_CELL: Final = 2_000  # characters of the longest cell that is looked at
MAX_MINOR: Final = 10**12


def read(text: str) -> Statement:
    """Return the statement in a file; raises Unreadable with every problem of every row."""
    rows = _rows(text)
    header = [name.strip().lower() for name in rows[0]] if rows else []
    _check_header(header)
    if len(rows) == 1:
        raise Unreadable([Problem(0, "file", "no rows", "a row for each movement")])
    problems: list[Problem] = []
    entries = []
    accounts: set[str] = set()
    for number, cells in enumerate(rows[1:], start=1):
        if len(cells) != len(header):
            problems.append(Problem(number, "row", f"{len(cells)} cells", f"{len(header)} cells, as in the header"))
            continue
        found = _Row(number, dict(zip(header, cells, strict=True)), problems)
        entry = found.entry()
        if entry is not None:
            entries.append(entry)
            accounts.add(found.cells["account"].strip())
    if len(accounts) > 1:
        problems.append(Problem(0, "account", ", ".join(sorted(accounts))[:60], "one account in a file"))
    if problems:
        raise Unreadable(problems)
    statement = Statement("csv", accounts.pop(), "", entries[0].amount.currency, None, None, tuple(entries))
    check(statement)
    return statement


def _rows(text: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > MAX_ENTRIES + 1:
                raise Unreadable([Problem(0, "file", f"more than {MAX_ENTRIES} rows", f"{MAX_ENTRIES} rows or fewer")])
    except csv.Error as error:
        raise Unreadable([Problem(reader.line_num, "row", str(error), "cells in the format of CSV")]) from error
    return rows


def _check_header(header: list[str]) -> None:
    known = ", ".join((*REQUIRED, *OPTIONAL))
    problems = [
        Problem(0, "header", name[:60], f"one of {known}") for name in header if name not in (*REQUIRED, *OPTIONAL)
    ]
    problems += [Problem(0, "header", "missing", name) for name in REQUIRED if name not in header]
    problems += [
        Problem(0, "header", name, "each name once") for name in dict.fromkeys(header) if header.count(name) > 1
    ]
    if problems:
        raise Unreadable(problems[:50])


class _Row:
    """One row, whose faulty cells become problems."""

    def __init__(self, number: int, cells: dict[str, str], problems: list[Problem]) -> None:
        self.number = number
        self.cells = cells
        self.problems = problems

    def entry(self) -> Entry | None:
        """Return the movement, or None when something of it cannot be read."""
        before = len(self.problems)
        money = self._money()
        booked = self._cell("booked_on", a_date, "a date such as 2026-05-01, from 2020 to 2099")
        value = self._cell("value_date", a_date, "a date such as 2026-05-01, from 2020 to 2099", default=booked)
        texts = {name: self._text(name) for name in LONGEST}
        if len(self.problems) > before or money is None or booked is None:
            return None
        return Entry(
            row=self.number,
            bank_reference=texts["bank_reference"],
            is_credit=money.amount_minor > 0,
            amount=Money(abs(money.amount_minor), money.currency),
            booked_on=booked,
            value_date=value or booked,
            counterparty=texts["counterparty"],
            counterparty_account=texts["counterparty_account"],
            remittance=texts["remittance"],
        )

    def _money(self) -> Money | None:
        currency = self.cells.get("currency", "").strip()
        if currency not in EXPONENTS:
            self._wrong("currency", currency, "a currency such as CNY")
            return None
        text = self.cells["amount"].strip()
        sign = -1 if text.startswith("-") else 1
        try:
            minor = 0 if text.startswith("--") else sign * parse_minor(text.removeprefix("-"), currency)
        except MeasureError:
            minor = 0
        if not 0 < abs(minor) <= MAX_MINOR:
            self._wrong("amount", text, "a plain amount other than zero, such as 12.50 or -12.50")
            return None
        return Money(minor, currency)

    def _cell(
        self, name: str, read_cell: Callable[[str], date | None], expected: str, *, default: date | None = None
    ) -> date | None:
        text = self.cells.get(name, "").strip()
        if not text and default is not None:
            return default
        value = read_cell(text)
        if value is None:
            self._wrong(name, text, expected)
        return value

    def _text(self, name: str) -> str:
        text = self.cells.get(name, "").strip()
        if not text and name in REQUIRED:
            self._wrong(name, "", "a text")
        elif len(text) > LONGEST[name] or not text.isprintable():
            self._wrong(name, text, f"up to {LONGEST[name]} printable characters")
        return text

    def _wrong(self, name: str, seen: str, expected: str) -> None:
        self.problems.append(Problem(self.number, name, seen[:60], expected))


def a_date(text: str) -> date | None:
    """Return a calendar date within the years of the books, or None."""
    if len(text) != 10 or not text.isascii():
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None
