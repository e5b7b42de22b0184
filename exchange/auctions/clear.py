"""Clear a frozen book: computed outside any transaction, verified in integers, stored once."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.foundation import clock
from accounts.jobs import services as jobs
from accounts.jobs.registry import Renew
from exchange.auctions import deals
from exchange.auctions.waves import Waves
from exchange.clearing import canonical_json, engine, parsing, verify
from exchange.clearing.book import Book
from exchange.clearing.engine import Result
from exchange.clearing.errors import EngineFault
from exchange.clearing.outcome import Outcome
from exchange.rounds import publication, services
from exchange.rounds.models import Round, RoundOutcome, RoundSnapshot
from exchange.rounds.rules import RoundStatus

SETTLE_ROUND: Final = "settle_round"
_ENGINE: Final = Actor.system("clearing")


def clear_round(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Clear the round with this id and have it settled; safe to repeat, also at the same time.

    A result that fails its verification is not stored: an alarm is raised and EngineFault ends the job,
    which is tried again and then parked for the operator, who may give the round up.
    """
    round_id = UUID(key)
    if not _begin(round_id):
        return
    snapshot = RoundSnapshot.objects.select_related("round__market").get(round_id=round_id)
    try:
        book = _book(snapshot)
        result = engine.clear(book, run=Waves(snapshot, renew))
        renew()
        outcome = deals.with_whole_unit_prices(result.outcome, lot_units=snapshot.round.market.lot_units)
        _verify(book, outcome)
    except EngineFault as fault:
        services.alarm(
            snapshot.round, "round.verification_failed", {"violations": list(fault.violations)}, now=clock.now()
        )
        raise
    _commit(snapshot, result, outcome)


@transaction.atomic
def _begin(round_id: UUID) -> bool:
    """Mark the round as being cleared; False when there is nothing to clear any more."""
    clearing = services.lock(round_id)
    if clearing.status == RoundStatus.CLEARED:
        enqueue_settling(clearing, now=clock.now())
    if clearing.status == RoundStatus.GATED:
        services.move(_ENGINE, clearing, RoundStatus.CLEARING, now=clock.now())
    return clearing.status == RoundStatus.CLEARING


def _book(snapshot: RoundSnapshot) -> Book:
    """Read the frozen book back; a text that is not the one its digest names is refused."""
    if hashlib.sha256(snapshot.text.encode()).hexdigest() != snapshot.digest:
        raise EngineFault(("SNAPSHOT: the stored book is not the one that its digest names",))
    return parsing.parse_book(snapshot.text)


def _verify(book: Book, outcome: Outcome) -> None:
    """Check the very document that will be published, apart from the engine that made it."""
    report = verify.verify(book, json.loads(outcome.canonical_bytes()))
    if report.hard:
        raise EngineFault(tuple(str(violation) for violation in report.hard))


@transaction.atomic
def _commit(snapshot: RoundSnapshot, result: Result, outcome: Outcome) -> None:
    """Store the outcome; of two workers that cleared the same book, the second finds it stored."""
    text = outcome.canonical_bytes().decode()
    now = clock.now()
    cleared = services.lock(snapshot.round_id)
    if cleared.status != RoundStatus.CLEARING:
        return
    RoundOutcome.objects.create(
        round=cleared,
        snapshot_digest=snapshot.digest,
        text=text,
        digest=outcome.digest(),
        public_digest=publication.outcome(text, bytes(snapshot.salt)).digest,
        certificate=canonical_json.dump(result.certificate.to_document()).decode(),
        engine_version=result.engine_version,
        rules_version=cleared.rules_version,
        welfare_micros=outcome.welfare,
        bound_micros=outcome.bound,
        record=result.record_document() | {"outcome_sha256": outcome.digest()},
        created_at=now,
    )
    services.move(
        _ENGINE,
        cleared,
        RoundStatus.CLEARED,
        now=now,
        payload={"snapshot": snapshot.digest, "outcome": outcome.digest(), "degraded": result.degraded},
        cleared_at=now,
        degraded=result.degraded,
    )
    enqueue_settling(cleared, now=now)


def enqueue_settling(cleared: Round, *, now: datetime) -> None:
    """Have a cleared round settled and published: at once, or when its calendar publishes it."""
    due_at = max(now, cleared.publishes_at or now)
    jobs.enqueue(SETTLE_ROUND, str(cleared.id), {}, now=now, due_at=due_at)
