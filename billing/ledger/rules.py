"""What a posting is and what makes it sound: plain values, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from billing.ledger.chart import CHART, SHARDS, Code, Owner

MAX_AMOUNT_MINOR: Final = 10**15  # per line: below it no sum of a transaction leaves a bigint


@dataclass(frozen=True)
class Source:
    """The one business fact behind a posting or a hold: nothing is ever posted twice for it."""

    type: str  # "invoice", "top_up", "order"
    id: UUID
    purpose: str  # "issue", "confirm", "fill"


@dataclass(frozen=True)
class AccountRef:
    """An account by what it stands for; its currency is that of the posting."""

    code: Code
    organisation_id: UUID | None = None

    def __post_init__(self) -> None:
        owned = CHART[self.code].owner is Owner.ORGANISATION
        assert owned == (self.organisation_id is not None), self


@dataclass(frozen=True)
class Line:
    """One side of a posting: minor units, debit positive and credit negative."""

    account: AccountRef
    amount_minor: int


@dataclass(frozen=True)
class Capture:
    """Funds that leave a hold in the same step as a posting: taken by it, and given back to the customer."""

    hold_id: UUID
    captured_minor: int
    released_minor: int = 0

    def __post_init__(self) -> None:
        assert self.captured_minor >= 0, self
        assert self.released_minor >= 0, self


@dataclass(frozen=True)
class Posting:
    """A balanced transaction that is to be written with others; its fields are those of ledger.services.post."""

    source: Source
    lines: Sequence[Line]
    effective_at: datetime
    memo: str = ""
    captures: Sequence[Capture] = ()
    overdraft_minor: int = 0


class HoldStatus(StrEnum):
    """A hold is open while it holds anything; a closed one stays closed."""

    OPEN = "open"
    CLOSED = "closed"


class HoldEventKind(StrEnum):
    """What can happen to a hold. Shrunk and released both give back; a release gives back all that is left."""

    PLACED = "placed"
    GROWN = "grown"
    SHRUNK = "shrunk"
    CAPTURED = "captured"
    RELEASED = "released"


def debit(code: Code, amount_minor: int, organisation_id: UUID | None = None) -> Line:
    """Return the debit of an account; a negative amount is a credit."""
    return Line(AccountRef(code, organisation_id), amount_minor)


def credit(code: Code, amount_minor: int, organisation_id: UUID | None = None) -> Line:
    """Return the credit of an account; a negative amount is a debit."""
    return Line(AccountRef(code, organisation_id), -amount_minor)


def merged(lines: Sequence[Line]) -> dict[AccountRef, int]:
    """Return one amount per account, without zeros: an account stands at most once in a transaction.

    A sum other than zero, or fewer than two accounts left, is a mistake of the program.
    """
    amounts: dict[AccountRef, int] = {}
    for line in lines:
        assert abs(line.amount_minor) <= MAX_AMOUNT_MINOR, line
        amounts[line.account] = amounts.get(line.account, 0) + line.amount_minor
    amounts = {account: amount for account, amount in amounts.items() if amount}
    assert sum(amounts.values()) == 0, f"debits and credits differ by {sum(amounts.values())}: {lines}"
    assert len(amounts) >= 2, f"nothing to post: {lines}"
    return amounts


def by_row(source: Source, lines: Sequence[Line]) -> dict[tuple[AccountRef, int], int]:
    """Return the merged lines of a source's posting by account and which of its rows takes them."""
    return {(account, shard(account.code, source)): amount for account, amount in merged(lines).items()}


def shard(code: Code, source: Source) -> int:
    """Return which row of a sharded code takes the postings of a source; 0 for the others."""
    return source.id.int % SHARDS if CHART[code].sharded else 0


def shortfall(balance_minor: int, held_minor: int, credit_limit_minor: int) -> int:
    """Return by how much a wallet's funds and credit fall short of what it holds; balance is debit positive."""
    return max(0, balance_minor + held_minor - credit_limit_minor)
