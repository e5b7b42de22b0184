"""Reads of rounds: what every member may see of them, with the members' names left out."""

import hashlib
import hmac
import json
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor
from accounts.foundation import ids
from exchange.rounds.errors import NothingPublished, RoundNotFound
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus

_STRETCH = "."  # see exchange.auctions.book
_BLINDED_CHARACTERS = 20


# What of a round's documents may be megabytes, and is shown by the document's own address alone.
_LONG: Final = ("snapshot__text", "outcome__text", "outcome__certificate", "outcome__record")


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


def prices() -> QuerySet[RoundPrice]:
    """Return every published price."""
    return RoundPrice.objects.select_related("market")


def published_book(shown: Round, actor: Actor) -> dict[str, Any]:
    """Return a round's book with every member's name and id blinded, and which rows are the actor's own.

    Equal ids stay equal within the round, so the outcome can be verified against the book.
    """
    salt = bytes(shown.snapshot.salt)
    book = json.loads(shown.snapshot.text)
    me = ids.spell("org", actor.organisation())
    own: dict[str, str] = {}
    for section, party in (("offers", "provider"), ("orders", "buyer")):
        for row in book[section]:
            blinded = blind(salt, row["id"])
            if row[party] == me:
                own[blinded] = row["id"].partition(_STRETCH)[0]
            row["id"], row[party] = blinded, blind(salt, row[party])
    return {"book": book, "snapshot_digest": shown.snapshot.digest, "own": own}


def published_outcome(shown: Round) -> dict[str, Any]:
    """Return a round's outcome, its trades naming the blinded rows of the published book."""
    salt = bytes(shown.snapshot.salt)
    outcome = json.loads(shown.outcome.text)
    for trade in outcome["trades"]:
        trade["order"], trade["offer"] = blind(salt, trade["order"]), blind(salt, trade["offer"])
    rejected = [
        block | {"order": blind(salt, block["order"])} for block in shown.outcome.record["paradoxically_rejected"]
    ]
    return {"outcome": outcome, "outcome_digest": shown.outcome.digest, "paradoxically_rejected": rejected}


def blind(salt: bytes, book_id: str) -> str:
    """Return the public name of a member or row in one round; the stretch of a split row stays readable."""
    base, dot, stretch = book_id.partition(_STRETCH)
    name = hmac.new(salt, base.encode(), hashlib.sha256).hexdigest()[:_BLINDED_CHARACTERS]
    return f"{base[:3]}_{name}{dot}{stretch}"
