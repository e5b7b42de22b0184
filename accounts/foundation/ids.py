"""Identifiers: UUIDv7 inside, a typed spelling outside.

`spell("ord", id)` gives `ord_` and 26 characters of Crockford's base 32 (lower case), the
spelling that the TypeID specification uses: it sorts by time of creation like the UUID does,
and an order's id is never taken for an invoice's.
"""

import secrets
from functools import lru_cache
from typing import Final
from uuid import UUID

import uuid6

from accounts.foundation.errors import Invalid, mismatch

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH: Final = 26  # characters of 5 bits: 130 bits, of which the top two are zero
SPELLING: Final = "[0-7][0-9a-hjkmnp-tv-z]{25}"  # what follows the prefix, as a regular expression

PREFIXES: Final = {
    "org": "organisation",
    "usr": "user",
    "mem": "membership",
    "ivt": "invitation",
    "key": "API key",
    "prj": "project",
    "evt": "event",
    "aud": "audit record",
    "job": "job",
    "sit": "site",
    "ofr": "offering",
    "mkt": "market",
    "off": "offer",
    "ord": "order",
    "qte": "quote",
    "rnd": "round",
    "trd": "trade",
    "lse": "lease",
    "ctr": "contract",
    "usg": "usage event",
    "inv": "invoice",
    "stm": "provider statement",
    "ccl": "customer class",
    "adj": "price adjustment",
    "cof": "coefficient",
    "vch": "voucher",
    "top": "top-up",
    "rcp": "bank receipt",
    "bst": "bank statement",
    "clc": "credit limit change",
    "pay": "card payment",
    "pmt": "saved card method",
    "mst": "card method set-up",
    "rfd": "card refund",
    "ctf": "Stripe transfer",
    "sev": "message of Stripe",
    "txn": "ledger transaction",
    "hld": "hold",
    "lnd": "wallet landing",
    "jrn": "journal entry",
    "run": "reconciliation run",
    "brk": "break",
    "rop": "request to reopen a month",
    "pyt": "payout",
    "trf": "transfer file",
    "prk": "parked account",
    "ftl": "fapiao title",
    "fap": "fapiao",
    "pch": "change of a policy",
    "txr": "tax rate",
}

_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_LOW: Final = 2**60 - 1  # the last twelve characters
_VALUES: Final = {letter: number for number, letter in enumerate(ALPHABET)}


class MalformedId(Invalid):
    """The text is not an id of the expected kind."""

    code = "malformed_id"

    def __init__(self, prefix: str, text: object) -> None:
        super().__init__(mismatch(text, f"{_kind(prefix)} id such as {prefix}_{'0' * 5}..."))


def new_id() -> UUID:
    """Return a fresh UUIDv7."""
    return UUID(int=uuid6.uuid7().int)


def new_ids(count: int) -> list[UUID]:
    """Return fresh UUIDv7s in ascending order, for many rows at once: one draw, and steps upward from it."""
    first = uuid6.uuid7().int & ~(1 << 61)  # room for the steps, below the variant's bits
    steps = secrets.token_bytes(3 * count)
    found: list[UUID] = []
    for place in range(count):
        first += 1 + int.from_bytes(steps[3 * place : 3 * place + 3])
        found.append(UUID(int=first))
    return found


def spell(prefix: str, value: UUID) -> str:
    """Return the outside spelling of an id, for example `ord_01jd...`."""
    number = value.int
    low = number & _LOW
    return (
        f"{_beginning(prefix, number >> 60)}{_PAIRS[low >> 50]}{_PAIRS[low >> 40 & 1023]}{_PAIRS[low >> 30 & 1023]}"
        f"{_PAIRS[low >> 20 & 1023]}{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"
    )


def parse(prefix: str, text: object) -> UUID:
    """Return the UUID of an id spelled outside; raises MalformedId."""
    assert prefix in PREFIXES, prefix
    if not isinstance(text, str) or not text.startswith(f"{prefix}_"):
        raise MalformedId(prefix, text)
    letters = text[len(prefix) + 1 :]
    if len(letters) != LENGTH or letters[0] > "7" or any(letter not in _VALUES for letter in letters):
        raise MalformedId(prefix, text)
    number = 0
    for letter in letters:
        number = number << 5 | _VALUES[letter]
    return UUID(int=number)


@lru_cache(maxsize=1_024)
def _beginning(prefix: str, high: int) -> str:
    """Spell the prefix and the first 70 bits: ids that were made together share them."""
    assert prefix in PREFIXES, prefix
    return f"{prefix}_{''.join(_PAIRS[(high >> shift) & 1023] for shift in range(60, -1, -10))}"


def _kind(prefix: str) -> str:
    noun = PREFIXES[prefix]
    return f"an {noun}" if noun[0] in "aeioAEIO" else f"a {noun}"
