"""The life of a top-up, its reference, and what an amount of one may be: plain values."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts.foundation import ids
from billing.payments.errors import TopUpMoveRefused
from catalog.measures.money import Money

MIN_TOP_UP_MINOR: Final = 1
MAX_TOP_UP_MINOR: Final = 10**12  # ten thousand million CNY; a typing mistake is likelier

_SYMBOLS: Final = 10  # 50 random bits of the id: enough never to meet the same twice
_CHECK_ALPHABET: Final = f"{ids.ALPHABET}*~$=u"  # Crockford's check symbols, modulo 37
_REFERENCE: Final = re.compile(r"CX[- ]?([0-9A-Z]{5})[- ]?([0-9A-Z]{5})[- ]?([0-9A-Z*~$=])", re.ASCII)


class TopUpStatus(StrEnum):
    """Where a top-up stands."""

    AWAITING = "awaiting"  # announced; the bank has not shown the money yet
    CONFIRMED = "confirmed"  # the money is in the wallet
    RETURNED = "returned"  # the bank took it back
    CANCELLED = "cancelled"


TOP_UP_MOVES: Final[dict[TopUpStatus, frozenset[TopUpStatus]]] = {
    TopUpStatus.AWAITING: frozenset({TopUpStatus.CONFIRMED, TopUpStatus.CANCELLED}),
    TopUpStatus.CONFIRMED: frozenset({TopUpStatus.RETURNED}),
    TopUpStatus.RETURNED: frozenset(),
    TopUpStatus.CANCELLED: frozenset(),
}


class TopUpMethod(StrEnum):
    """How the money comes."""

    BANK_TRANSFER = "bank_transfer"


class ReceiptStatus(StrEnum):
    """Whether it is known whose money a bank receipt is."""

    UNMATCHED = "unmatched"
    MATCHED = "matched"
    SPLIT = "split"  # several top-ups in one transfer
    RETURNED = "returned"  # sent back to the payer


RECEIPT_MOVES: Final[dict[ReceiptStatus, frozenset[ReceiptStatus]]] = {
    ReceiptStatus.UNMATCHED: frozenset({ReceiptStatus.MATCHED, ReceiptStatus.SPLIT, ReceiptStatus.RETURNED}),
    ReceiptStatus.MATCHED: frozenset(),
    ReceiptStatus.SPLIT: frozenset(),
    ReceiptStatus.RETURNED: frozenset(),
}


@dataclass(frozen=True)
class BankLine:
    """A credit as the bank's statement shows it."""

    bank_reference: str  # the bank's own id of the transaction
    amount: Money
    value_date: date
    payer: str
    remittance: str = ""  # what the payer wrote


def check_move(before: TopUpStatus, after: TopUpStatus) -> None:
    """Raise TopUpMoveRefused unless a top-up may go from one status to the other."""
    if after not in TOP_UP_MOVES[before]:
        raise TopUpMoveRefused(before, after)


def reference(top_up_id: UUID) -> str:
    """Return what the payer quotes, such as CX-7K3M9-QWD2F-X: made from the id, with a check symbol.

    The symbols leave out letters that are mistaken for digits; the last one (modulo 37) shows any
    single wrong symbol and any two swapped ones.
    """
    number = top_up_id.int & (1 << 5 * _SYMBOLS) - 1
    text = "".join(ids.ALPHABET[number >> shift & 31] for shift in range(5 * (_SYMBOLS - 1), -1, -5))
    return f"CX-{text[:5]}-{text[5:]}-{_CHECK_ALPHABET[number % 37]}".upper()


def references_in(text: str) -> list[str]:
    """Return the sound references quoted in a remittance text, in their usual spelling, each once."""
    spelled = (f"CX-{first}-{second}-{check}" for first, second, check in _REFERENCE.findall(text.upper()))
    return list(dict.fromkeys(found for found in spelled if _check_symbol_fits(found)))


def _check_symbol_fits(found: str) -> bool:
    _, first, second, check = found.lower().split("-")
    number = 0
    for symbol in first + second:
        if symbol not in ids.ALPHABET:
            return False
        number = number << 5 | ids.ALPHABET.index(symbol)
    return _CHECK_ALPHABET[number % 37] == check
