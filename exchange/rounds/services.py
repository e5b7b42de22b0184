"""Entering a round, and the moves of its row up to the gate.

Whoever places, amends or withdraws takes the round's row `FOR SHARE` first; the gate takes it
`FOR UPDATE`. So a gate waits only for those in flight, and whoever waited for a gate finds the
round closed. The clock is read after the lock: the instant of a request that waited is not the
instant it was accepted.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import clock, ids
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.rounds import rules
from exchange.rounds.errors import GateClosed, NoCancelPhase, NoOpenRound, RoundNotFound
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus

log = logging.getLogger(__name__)

# How often a request that waited for a closing round looks for the next one.
_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class Entry:
    """The round a request takes part in, and the instant it was accepted."""

    round: Round
    accepted_at: datetime


def join_open_round(market: Market, *, now: datetime) -> Entry:
    """Lock the round that takes orders now `FOR SHARE`, until the caller's transaction ends.

    Past the gate the next round is joined. `accepted_at` is read after the lock and is what
    the order or offer must carry: the gate freezes exactly what was accepted before it.
    Raises NoOpenRound when the rounds keep closing under the request.
    """
    assert connection.in_atomic_block, "a round is joined inside the transaction that uses it"
    after = now
    for _ in range(_ATTEMPTS):
        joined = _share(market, gate_after=after)
        if joined is None:
            ensure_round(market, after=after, now=now)
            continue
        accepted_at = clock.now()
        if rules.takes_orders_at(joined.status, gate_at=joined.scheduled_at, now=accepted_at):
            return Entry(joined, accepted_at)
        after = max(accepted_at, joined.scheduled_at)
    raise NoOpenRound


def check_may_lower(market: Market, *, accepted_at: datetime, now: datetime) -> Entry:
    """Lock what must not close meanwhile, and refuse to lower or withdraw in a no-cancel phase.

    `accepted_at` is when the order or offer (its present revision) was accepted: rounds with
    an earlier gate do not concern it. Raises NoCancelPhase, GateClosed.
    """
    entry = _concerned(market, accepted_at=accepted_at, now=now)
    if not rules.allows_lowering_at(entry.round.status, locks_at=entry.round.locks_at, now=entry.accepted_at):
        raise NoCancelPhase(entry.round.scheduled_at)
    return entry


def check_may_raise(market: Market, *, accepted_at: datetime, now: datetime) -> Entry:
    """Lock what must not close meanwhile, for a change for the better, which is taken until the gate.

    `accepted_at` is when the order or offer (its present revision) was accepted. Raises GateClosed.
    """
    entry = _concerned(market, accepted_at=accepted_at, now=now)
    if not rules.takes_orders_at(entry.round.status, gate_at=entry.round.scheduled_at, now=entry.accepted_at):
        raise GateClosed(entry.round.scheduled_at)
    return entry


def _concerned(market: Market, *, accepted_at: datetime, now: datetime) -> Entry:
    """Lock the round in whose book something accepted at an instant will stand, and read the clock after it.

    Raises GateClosed while a round in progress has it in its frozen book.
    """
    assert connection.in_atomic_block, "a round is locked inside the transaction that uses it"
    for _ in range(_ATTEMPTS):
        concerned = _share(market, gate_after=accepted_at)
        # Looked at after the lock: whoever waited for a gate finds its round in progress now.
        frozen = Round.objects.filter(market=market, status__in=rules.IN_PROGRESS, scheduled_at__gt=accepted_at).first()
        if frozen is not None:
            raise GateClosed(frozen.scheduled_at)
        if concerned is not None:
            return Entry(concerned, clock.now())
        ensure_round(market, after=max(now, accepted_at), now=now)
    raise NoOpenRound


def _share(market: Market, *, gate_after: datetime) -> Round | None:
    """Lock the earliest round still taking orders whose gate lies after the instant; None when there is none.

    A row that changes while we wait for it drops out of the answer: the caller asks again.
    """
    found = Round.objects.raw(
        """
        SELECT * FROM exchange_round
        WHERE market_id = %s AND status IN ('open', 'locked') AND scheduled_at > %s
        ORDER BY scheduled_at LIMIT 1
        FOR SHARE
        """,
        [market.id, gate_after],
    )
    return next(iter(found), None)


def ensure_round(market: Market, *, after: datetime, now: datetime) -> None:
    """Make the row of the first gate after the instant that is not given up, unless it exists."""
    coming = dict(Round.objects.filter(market=market, scheduled_at__gt=after).values_list("scheduled_at", "status"))
    gate_at = market_rules.next_gate(market.terms, after)
    while coming.get(gate_at) == RoundStatus.VOID:  # before its gate, by the operator
        gate_at = market_rules.next_gate(market.terms, gate_at)
    if gate_at in coming:
        return
    Round.objects.bulk_create(
        [
            Round(
                id=ids.new_id(),
                market=market,
                scheduled_at=gate_at,
                locks_at=market_rules.cancel_deadline(market.terms, gate_at),
                publishes_at=market_rules.publish_at(market.terms, gate_at),
                status=RoundStatus.OPEN,
                rules_version=market.rules_version,
                created_at=now,
            )
        ],
        ignore_conflicts=True,  # two requests may make it at once; the unique gate decides
    )


def lock(round_id: UUID) -> Round:
    """Lock a round's row for a move of it; raises RoundNotFound."""
    found = Round.objects.select_for_update(of=("self",)).select_related("market").filter(id=round_id).first()
    if found is None:
        raise RoundNotFound
    return found


def move(
    actor: Actor,
    moving: Round,
    target: RoundStatus,
    *,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    **stamps: Any,
) -> None:
    """Change the status of a round whose row the caller has locked, with its event and its trail.

    `stamps` are further fields to set, `payload` what the event and the trail say besides.
    Raises RoundMoveRefused.
    """
    rules.check_move(moving.status, target)
    before = moving.status
    moving.status = target
    for name, value in stamps.items():
        setattr(moving, name, value)
    moving.save(update_fields=["status", *stamps])
    said = {"market": moving.market.code, "status": target.value, **(payload or {})}
    events.emit(f"round.{target}", "round", moving.id, None, {"round": ids.spell("rnd", moving.id), **said}, now=now)
    audit.record(actor, f"round.{target}", "round", moving.id, {"status": before}, said, now=now)


def alarm(concerned: Round, type_: str, payload: Mapping[str, Any], *, now: datetime) -> None:
    """Tell the staff, and the log, that a round is not as it should be."""
    said = {"round": ids.spell("rnd", concerned.id), "market": concerned.market.code, **payload}
    events.emit(type_, "round", concerned.id, None, said, now=now)
    log.error("%s %s", type_, said)
