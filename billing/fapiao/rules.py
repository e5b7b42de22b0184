"""A fapiao's states, what a title must say for each kind, and what a record of one must be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

CURRENCY: Final = "CNY"
COUNTRY: Final = "CN"
MAX_INVOICES: Final = 100  # on one fapiao
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_ROWS: Final = 2_000

NUMBER: Final = re.compile(r"[0-9]{20}\Z", re.ASCII)
SHA256: Final = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
HTTPS: Final = re.compile(r"https://[!-~]{1,490}\Z", re.ASCII)


class Kind(StrEnum):
    """Which fapiao a buyer asks for."""

    ORDINARY = "ordinary"  # 普通发票
    SPECIAL = "special"  # 专用发票: its tax can be deducted


class Status(StrEnum):
    """Where a fapiao is in its life."""

    REQUESTED = "requested"
    ISSUING = "issuing"  # with the tax bureau's platform, or the service in front of it
    ISSUED = "issued"
    REFUSED = "refused"
    REVERSED = "reversed"  # red letters have taken all of it back


class RedCause(StrEnum):
    """Why a red letter takes a fapiao back; none on a fapiao that is not red."""

    NONE = ""
    CREDIT_NOTE = "credit_note"
    MISTAKE = "mistake"


class CallState(StrEnum):
    """What is known of a call to the issuing service."""

    INTENDED = "intended"
    SENT = "sent"  # and whether it arrived is not known, or it is not finished there
    ANSWERED = "answered"


MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    Status.REQUESTED: frozenset({Status.ISSUING, Status.ISSUED, Status.REFUSED}),
    Status.ISSUING: frozenset({Status.ISSUED, Status.REFUSED}),
    Status.ISSUED: frozenset({Status.REVERSED}),
    Status.REFUSED: frozenset(),
    Status.REVERSED: frozenset(),
}
CALL_MOVES: Final[Mapping[CallState, frozenset[CallState]]] = {
    CallState.INTENDED: frozenset({CallState.SENT, CallState.ANSWERED}),
    CallState.SENT: frozenset({CallState.ANSWERED}),
    CallState.ANSWERED: frozenset(),
}
WAITING: Final = frozenset({Status.REQUESTED, Status.ISSUING})
NUMBERED: Final = frozenset({Status.ISSUED, Status.REVERSED})


@dataclass(frozen=True, slots=True)
class Issued:
    """What the tax bureau's platform issued. `total_minor` is below zero on a red letter."""

    number: str
    issued_on: date
    total_minor: int
    file_url: str = ""
    file_sha256: str = ""


def may_move(current: Status, wanted: Status) -> bool:
    """Whether the move is one of the table's."""
    return wanted in MOVES[current]


def problems_of(said: Issued, *, total_minor: int, requested_on: date, today: date) -> dict[str, tuple[str, str]]:
    """Return what is wrong with a record by field: the value seen, and what was expected."""
    wrong: dict[str, tuple[str, str]] = {}
    if not NUMBER.match(said.number):
        wrong["number"] = (said.number, "the 20 digits that the tax bureau gave")
    if not requested_on <= said.issued_on <= today:
        wrong["issued_on"] = (
            said.issued_on.isoformat(),
            f"a day from the request, {requested_on.isoformat()}, to today, {today.isoformat()}",
        )
    if said.total_minor != total_minor:
        wrong["total"] = (amount_text(said.total_minor), amount_text(total_minor))
    if said.file_url and not HTTPS.match(said.file_url):
        wrong["file_url"] = (said.file_url, "an address that begins with https://, in ASCII")
    if said.file_sha256 and not SHA256.match(said.file_sha256):
        wrong["file_sha256"] = (said.file_sha256, "64 hexadecimal digits in lower case")
    return wrong


def amount_text(amount_minor: int) -> str:
    """Spell an amount of CNY: -12.50."""
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 100)
    return f"{sign}{whole}.{rest:02d}"
