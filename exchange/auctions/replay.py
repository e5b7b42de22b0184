"""Replay: what a stored round says of itself is checked, and its book is cleared once more and compared.

Reads only. A text that is not the one its digest names, or an outcome that breaks a rule of its book or that the same
engine does not find again, is damage. Another version of the engine may find another outcome of the same book: that
is said as such, and the stored outcome still has to stand by itself.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts.foundation import ids
from exchange.auctions import deals
from exchange.clearing import book as books
from exchange.clearing import canonical_json, checking, engine, parsing
from exchange.clearing.book import Book
from exchange.clearing.checking import INTEGER_CHARACTERS
from exchange.clearing.errors import BookError, EngineFault
from exchange.rounds import publication
from exchange.rounds.models import RoundOutcome

SHOWN: Final = 5  # faults of one round; all are counted


class Verdict(StrEnum):
    """What a replay says of a round."""

    SAME = "same"
    OTHER_ENGINE = "other engine"  # and another outcome: not damage
    DEGRADED = "degraded"  # and another outcome: a search that was cut short need not end at the same place
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Replayed:
    """A round, the verdict, what was compared, and what is wrong (empty unless damaged)."""

    round_id: UUID
    market: str
    verdict: Verdict
    compared: str
    faults: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The round's public id."""
        return ids.spell("rnd", self.round_id)

    def lines(self) -> Iterator[str]:
        """Yield what a terminal shows of it."""
        yield f"{self.name} {self.market} {self.verdict}: {self.compared}"
        yield from (f"    {fault}" for fault in self.faults[:SHOWN])
        if len(self.faults) > SHOWN:
            yield f"    and {len(self.faults) - SHOWN} more"


def round_ids() -> Iterator[UUID]:
    """Yield every round that has an outcome, the oldest first."""
    stored = RoundOutcome.objects.order_by("round__scheduled_at", "round_id")
    yield from stored.values_list("round_id", flat=True).iterator(chunk_size=1_000)


def replay(round_id: UUID) -> Replayed:
    """Check the stored documents of a round and clear its book again; raises RoundOutcome.DoesNotExist."""
    stored = _stored(round_id)
    market = stored.round.market.code
    faults = _faults(stored)
    if faults:
        return Replayed(round_id, market, Verdict.DAMAGED, "the stored documents with each other", faults)
    try:
        again = engine.clear(parsing.parse_book(stored.round.snapshot.text))
    except EngineFault as fault:
        return Replayed(round_id, market, Verdict.DAMAGED, "the engine's verification", fault.violations)
    outcome = deals.with_whole_unit_prices(again.outcome, lot_units=stored.round.market.lot_units)
    certificate = canonical_json.dump(again.certificate.to_document()).decode()
    differences = []
    if outcome.digest() != stored.digest:
        differences.append(f"outcome {outcome.digest()} with welfare {outcome.welfare}, stored {stored.digest}")
    if certificate != stored.certificate:
        differences.append(f"certificate with the bound {again.certificate.bound}, stored {stored.bound_micros}")
    if not differences:
        return Replayed(
            round_id, market, Verdict.SAME, f"outcome {stored.digest} and certificate, by {again.engine_version}"
        )
    versions = f"stored by {stored.engine_version}, replayed by {again.engine_version}"
    if stored.engine_version != again.engine_version:
        return Replayed(round_id, market, Verdict.OTHER_ENGINE, f"{versions}: {'; '.join(differences)}")
    if stored.round.degraded:
        return Replayed(round_id, market, Verdict.DEGRADED, f"{versions}: {'; '.join(differences)}")
    return Replayed(round_id, market, Verdict.DAMAGED, versions, tuple(differences))


def faults_of(round_id: UUID) -> tuple[str, ...]:
    """Return what is wrong with a round's stored documents, without clearing again."""
    return _faults(_stored(round_id))


def _stored(round_id: UUID) -> RoundOutcome:
    return RoundOutcome.objects.select_related("round__market", "round__snapshot").get(round_id=round_id)


def _faults(stored: RoundOutcome) -> tuple[str, ...]:
    snapshot = stored.round.snapshot
    if _sha256(snapshot.text) != snapshot.digest:
        return ("the text of the book does not have its digest",)
    if _sha256(stored.text) != stored.digest:
        return ("the text of the outcome does not have its digest",)
    if stored.snapshot_digest != snapshot.digest:
        return ("the outcome is of another book",)
    try:
        book = parsing.parse_book(snapshot.text)
        outcome = parsing.load_json(stored.text, integer_characters=INTEGER_CHARACTERS)
        certificate = parsing.load_json(stored.certificate, integer_characters=INTEGER_CHARACTERS)
    except BookError as error:
        return (f"a stored document cannot be read: {error}",)
    return _wrong(stored, book, outcome, certificate)


def _wrong(stored: RoundOutcome, book: Book, outcome: object, certificate: object) -> tuple[str, ...]:
    found = checking.check_documents(book, outcome, certificate)
    faults = [str(violation) for violation in found.report.hard]
    faults += found.certificate_faults
    faults += _wrongly_published(stored)
    if books.digest(book) != stored.snapshot_digest:
        faults.append("the text of the book is not its canonical spelling")
    beside = (int(stored.welfare_micros), int(stored.bound_micros))
    if found.welfare is not None and (found.welfare, found.bound) != beside:
        faults.append(
            f"stored beside the outcome are welfare {beside[0]} and bound {beside[1]}, "
            f"in it {found.welfare} and {found.bound}"
        )
    return tuple(faults)


def _wrongly_published(stored: RoundOutcome) -> Iterator[str]:
    salt = bytes(stored.round.snapshot.salt)
    public_book = publication.book(json.loads(stored.round.snapshot.text), salt)
    # Rounds from before this was said have none.
    if stored.round.snapshot.public_digest not in {"", public_book.digest}:
        yield "the book as it is published does not have the digest that was said at the gate"
    if stored.public_digest not in {"", publication.outcome(stored.text, salt).digest}:
        yield "the outcome as it is published does not have its digest"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
