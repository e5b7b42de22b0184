"""Reads of rounds: what every member may see of them, with the members' names left out."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor
from accounts.foundation import ids
from exchange.rounds import publication
from exchange.rounds.errors import NothingPublished, RoundNotFound
from exchange.rounds.models import Round, RoundPrice, RoundVoidRequest
from exchange.rounds.publication import PublicDocument
from exchange.rounds.rules import RoundStatus, VoidState

# What of a round's documents may be megabytes, and is shown by the document's own address alone.
_LONG: Final = ("snapshot__text", "outcome__text", "outcome__certificate", "outcome__record")


@dataclass(frozen=True)
class Record:
    """What a published round says of itself: digests, marks, and what it could not do for everybody."""

    round: Round
    book_digest: str
    outcome_digest: str
    certificate_digest: str
    is_strict: bool
    rejected_blocks: list[dict[str, Any]]
    residuals: list[dict[str, Any]]


def rounds() -> QuerySet[Round]:
    """Return all rounds, public to members, with what a list shows of their documents."""
    return Round.objects.select_related("market", "snapshot", "outcome").defer(*_LONG)


def get(round_id: UUID) -> Round:
    """Return a round with its whole documents; raises RoundNotFound."""
    found = rounds().defer(None).filter(id=round_id).first()
    if found is None:
        raise RoundNotFound
    return found


def published(round_id: UUID) -> Round:
    """Return a published round; raises RoundNotFound, NothingPublished."""
    found = get(round_id)
    if found.status != RoundStatus.PUBLISHED:
        raise NothingPublished(found.status)
    return found


def void_request(shown: Round) -> RoundVoidRequest | None:
    """Return the open wish to give a round up, with the person who asked; None when there is none."""
    asked = RoundVoidRequest.objects.filter(round=shown, state=VoidState.ASKED)
    return asked.select_related("requested_by").first()


def prices() -> QuerySet[RoundPrice]:
    """Return every published price."""
    return RoundPrice.objects.select_related("market")


def public_book(shown: Round) -> PublicDocument:
    """Return the book of a published round, every member's name and id blinded."""
    return publication.book(json.loads(shown.snapshot.text), bytes(shown.snapshot.salt))


def public_outcome(shown: Round) -> PublicDocument:
    """Return the outcome of a published round, its trades naming the rows of the public book."""
    return publication.outcome(shown.outcome.text, bytes(shown.snapshot.salt))


def public_certificate(shown: Round) -> PublicDocument:
    """Return the price vectors that prove the bound of a published round; they name cells alone."""
    text = shown.outcome.certificate.encode()
    return PublicDocument(text, hashlib.sha256(text).hexdigest())


def own_rows(shown: Round, actor: Actor) -> dict[str, str]:
    """Return the public names of the actor's orders and offers in a round's book, each with its own id."""
    me = ids.spell("org", actor.organisation())
    return publication.rows_of(shown.snapshot.text, bytes(shown.snapshot.salt), me)


def record(shown: Round) -> Record:
    """Return what a published round says of itself beside its documents."""
    salt, stored = bytes(shown.snapshot.salt), shown.outcome.record
    return Record(
        round=shown,
        book_digest=shown.snapshot.public_digest or public_book(shown).digest,
        outcome_digest=shown.outcome.public_digest or public_outcome(shown).digest,
        certificate_digest=public_certificate(shown).digest,
        is_strict=not stored["residuals"],
        rejected_blocks=publication.rejected_blocks(stored, salt),
        residuals=publication.residuals(stored, salt),
    )
