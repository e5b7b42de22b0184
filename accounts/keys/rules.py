"""The shape of an API key: `cx_live_<12 base62>_<43 base62 = 256 bits>_<6 base62 CRC-32>`.

The checksum lets a scanner or a client reject a mistyped or cut key without asking anyone.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX: Final = "cx_live"
PUBLIC_ID_LENGTH: Final = 12
SECRET_LENGTH: Final = 43  # 62 ** 43 > 2 ** 256
CHECKSUM_LENGTH: Final = 6  # 62 ** 6 > 2 ** 32
LONGEST_LIFE: Final = timedelta(days=365)

_SHAPE: Final = re.compile(rf"{PREFIX}_([0-9A-Za-z]{{12}})_([0-9A-Za-z]{{43}})_([0-9A-Za-z]{{6}})\Z", re.ASCII)


class Scope(StrEnum):
    """What a key may be used for; the capabilities of each are in accounts.actors.rules."""

    READ = "read"
    TRADE = "trade"
    LIST = "list"
    DELIVER = "deliver"
    METER = "meter"


@dataclass(frozen=True)
class KeyText:
    """The parts of a well-formed key."""

    public_id: str
    text: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole text: the secret has 256 bits, so no slow hash is needed."""
        return hashlib.sha256(self.text.encode("ascii")).digest()


def base62(number: int, length: int) -> str:
    """Return a number in base 62, padded to a length that must suffice."""
    letters = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        letters.append(ALPHABET[digit])
    assert number == 0, "the length does not hold the number"
    return "".join(reversed(letters))


def compose(public_id: str, secret: int) -> KeyText:
    """Return the key text for a public id and a secret below 2 ** 256."""
    assert len(public_id) == PUBLIC_ID_LENGTH, public_id
    body = f"{PREFIX}_{public_id}_{base62(secret, SECRET_LENGTH)}"
    return KeyText(public_id, f"{body}_{_checksum(body)}")


def read(text: str) -> KeyText | None:
    """Return the parts of a key, or None when it is not one or its checksum is wrong."""
    match = _SHAPE.match(text)
    if match is None:
        return None
    body, _, checksum = text.rpartition("_")
    return KeyText(match.group(1), text) if _checksum(body) == checksum else None


def _checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode("ascii")), CHECKSUM_LENGTH)
