"""The whole ledger as a journal for other double-entry programs: hledger and beancount.

Every transaction is there with its source, and after them every account's balance as the exchange keeps it, as an
assertion: `hledger check` and `bean-check` fail when the entries do not come to it. Dates are days in the zone of the
books. The rows of a sharded account are one account here.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts.foundation import ids
from billing.ledger.chart import CHART, AccountKind
from billing.ledger.rules import AccountRef
from catalog.measures.money import exponent, format_minor

TYPES: Final = {
    AccountKind.ASSET: "Assets",
    AccountKind.LIABILITY: "Liabilities",
    AccountKind.EQUITY: "Equity",
    AccountKind.INCOME: "Income",
    AccountKind.EXPENSE: "Expenses",
}


class JournalFormat(StrEnum):
    """Whose journal is written."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account of a currency: what it is, whose it is, since when, and its balance (debit positive)."""

    account: AccountRef
    currency: str
    organisation: str
    opened_on: date
    balance_minor: int

    @property
    def path(self) -> str:
        """The account's name in a journal."""
        return account_path(self.account)


@dataclass(frozen=True, slots=True)
class Posting:
    """One account's part of a transaction, in minor units, debit positive."""

    account: AccountRef
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction of the ledger."""

    id: UUID
    day: date
    memo: str
    source_type: str
    source_id: UUID
    purpose: str
    postings: Sequence[Posting]


def account_path(account: AccountRef) -> str:
    """Name an account, legal in either format: `Assets:1020-Bank`, `Liabilities:2000-Customer-wallets:Org-01...`."""
    line = CHART[account.code]
    words = "-".join(word.strip(",") for word in line.name.split())
    path = f"{TYPES[line.kind]}:{account.code}-{words}"
    if account.organisation_id is None:
        return path
    return f"{path}:{ids.spell('org', account.organisation_id).replace('org_', 'Org-')}"


def pieces(
    journal_format: JournalFormat, accounts: Sequence[AccountLine], entries: Iterable[Entry], *, last_day: date
) -> Iterator[str]:
    """Yield the journal's text: accounts, transactions, and the balances after `last_day`.

    `entries` come in the order of their days, and none is later than `last_day`.
    """
    writer: _Writer = _Hledger() if journal_format is JournalFormat.HLEDGER else _Beancount()
    yield writer.head(accounts)
    for entry in entries:
        yield writer.entry(entry)
    yield writer.balances(accounts, last_day)


class _Writer(ABC):
    """What the formats have in common: how amounts and texts are spelled."""

    @abstractmethod
    def head(self, accounts: Sequence[AccountLine]) -> str:
        """Return what comes before the first transaction."""

    @abstractmethod
    def entry(self, entry: Entry) -> str:
        """Return one transaction."""

    @abstractmethod
    def balances(self, accounts: Sequence[AccountLine], last_day: date) -> str:
        """Return the assertions after the last one."""

    @staticmethod
    def amount(amount_minor: int, currency: str) -> str:
        return f"{format_minor(amount_minor, currency)} {currency}"

    @staticmethod
    def facts(entry: Entry) -> tuple[tuple[str, str], ...]:
        return (
            ("transaction", ids.spell("txn", entry.id)),
            ("source", f"{entry.source_type} {entry.source_id} {entry.purpose}"),
        )

    @staticmethod
    def title(entry: Entry) -> str:
        """Return the memo on one line, or what the transaction is for where it has none."""
        return " ".join((entry.memo or f"{entry.source_type} {entry.purpose}").split())


class _Hledger(_Writer):
    """hledger 1.25 and later; `--strict` finds every account and commodity declared."""

    def head(self, accounts: Sequence[AccountLine]) -> str:
        lines = [
            f"commodity 1000.{'0' * exponent(currency)} {currency}"
            for currency in sorted({account.currency for account in accounts})
        ]
        paths = {account.path: account.organisation for account in accounts}
        lines += [
            f"account {path}" + (f"  ; {self._remark(owner)}" if owner else "") for path, owner in sorted(paths.items())
        ]
        return "\n".join([*lines, "", ""])

    def entry(self, entry: Entry) -> str:
        # A semicolon would begin a comment, and a bar a note.
        title = self.title(entry).replace(";", ",").replace("|", "/")
        if title.startswith("("):  # would begin a code; the empty one ends before it
            title = f"() {title}"
        lines = [f"{entry.day.isoformat()} * {title}"]
        lines += [f"    ; {name}: {text}" for name, text in self.facts(entry)]
        lines += [
            f"    {account_path(posting.account)}  {self.amount(posting.amount_minor, posting.currency)}"
            for posting in entry.postings
        ]
        return "\n".join([*lines, "", ""])

    def balances(self, accounts: Sequence[AccountLine], last_day: date) -> str:
        lines = [f"{last_day.isoformat()} * Balances as the exchange keeps them"] if accounts else []
        lines += [
            f"    {account.path}  {self.amount(0, account.currency)}"
            f" = {self.amount(account.balance_minor, account.currency)}"
            for account in accounts
        ]
        return "\n".join([*lines, ""])

    @staticmethod
    def _remark(text: str) -> str:
        """Return a text as a comment in which nothing is a tag: `type:` would change the account or be an error."""
        return _one_line(text).replace(":", "：")


class _Beancount(_Writer):
    """beancount 2 and 3."""

    def head(self, accounts: Sequence[AccountLine]) -> str:
        lines = ['option "title" "The books of the exchange"']
        currencies = sorted({account.currency for account in accounts})
        lines += [f'option "operating_currency" "{currency}"' for currency in currencies]
        opened: dict[str, tuple[date, str, list[str]]] = {}
        for account in accounts:
            day, owner, held = opened.get(account.path, (account.opened_on, account.organisation, []))
            opened[account.path] = (min(day, account.opened_on), owner, [*held, account.currency])
        for path, (day, owner, held) in sorted(opened.items()):
            lines.append(f"{day.isoformat()} open {path} {','.join(sorted(held))}")
            if owner:
                lines.append(f"  organisation: {_quoted(owner)}")
        return "\n".join([*lines, "", ""])

    def entry(self, entry: Entry) -> str:
        lines = [f"{entry.day.isoformat()} * {_quoted(self.title(entry))}"]
        lines += [f"  {name}: {_quoted(text)}" for name, text in self.facts(entry)]
        lines += [
            f"  {account_path(posting.account)}  {self.amount(posting.amount_minor, posting.currency)}"
            for posting in entry.postings
        ]
        return "\n".join([*lines, "", ""])

    def balances(self, accounts: Sequence[AccountLine], last_day: date) -> str:
        # beancount asserts at the beginning of a day. Nothing is tolerated: amounts are exact.
        day = (last_day + timedelta(days=1)).isoformat()
        return "".join(
            f"{day} balance {account.path}  {format_minor(account.balance_minor, account.currency)} ~ 0"
            f" {account.currency}\n"
            for account in accounts
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    escaped = _one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
