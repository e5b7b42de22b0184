"""The public documents of a round: members' names and ids blinded, everything that a check needs kept.

Each row and each member gets a name that is a keyed hash under a secret of the round alone, so nobody can turn a name
into an id or follow a member from round to round; within the round the same member keeps one name on both sides, so
anybody can see that nobody trades with himself. Entry numbers (`seq`) are replaced by ranks: ties depend on their order
only, and the numbers themselves would tie a resting order to its earlier rounds. Rows of one order that was partly
filled before get names of their own.

What is left to read: the order of entry, what each row asks or offers, and the site in a cell's name, which tells the
provider where a site has only one.

The published texts are canonical, so the SHA-256 of a downloaded file is the published digest.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from exchange.clearing import canonical_json

_CHARACTERS: Final = 20  # of a name: 80 bits
_ID: Final = re.compile(r"\b(?:off|ord|org)_[0-9a-z]{26}(?:\.-?\d+)?")
_PARTY: Final = {"offers": "provider", "orders": "buyer"}


@dataclass(frozen=True)
class PublicDocument:
    """Canonical text and the SHA-256 that names it."""

    text: bytes
    digest: str


def blind(salt: bytes, book_id: str) -> str:
    """Return the public name of a member, order, offer or row in one round."""
    return f"{book_id[:3]}_{hmac.new(salt, book_id.encode(), hashlib.sha256).hexdigest()[:_CHARACTERS]}"


def book(document: Mapping[str, Any], salt: bytes) -> PublicDocument:
    """Return the public spelling of a canonical book document, whose rows come by (seq, id)."""
    public = dict(document)
    for section, party in _PARTY.items():
        public[section] = [
            row | {"id": blind(salt, row["id"]), party: blind(salt, row[party]), "seq": rank}
            for rank, row in enumerate(document[section], start=1)
        ]
    if "budgets" in document:
        public["budgets"] = {blind(salt, buyer): amount for buyer, amount in document["budgets"].items()}
    return _document(public)


def outcome(text: str, salt: bytes) -> PublicDocument:
    """Return a stored outcome, its trades naming the rows of the public book."""
    document = json.loads(text)
    for trade in document["trades"]:
        trade["order"], trade["offer"] = blind(salt, trade["order"]), blind(salt, trade["offer"])
    return _document(document)


def rows_of(text: str, salt: bytes, party: str) -> dict[str, str]:
    """Return the public names of one member's rows in a stored book, each with the row's own id."""
    stored = json.loads(text)
    return {
        blind(salt, row["id"]): row["id"]
        for section, role in _PARTY.items()
        for row in stored[section]
        if row[role] == party
    }


def rejected_blocks(record: Mapping[str, Any], salt: bytes) -> list[dict[str, Any]]:
    """Return the blocks left out although the published prices would have suited them, by their public names."""
    return [block | {"order": blind(salt, block["order"])} for block in record["paradoxically_rejected"]]


def residuals(record: Mapping[str, Any], salt: bytes) -> list[dict[str, Any]]:
    """Return the strict rules that no allocation found could meet, naming rows by their public names."""
    return [
        residual | {"message": _ID.sub(lambda match: blind(salt, match[0]), residual["message"])}
        for residual in record["residuals"]
    ]


def _document(value: Mapping[str, Any]) -> PublicDocument:
    text = canonical_json.dump(value)
    return PublicDocument(text, hashlib.sha256(text).hexdigest())
