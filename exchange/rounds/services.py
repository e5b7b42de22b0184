"""Entering a round, and the moves of its row up to the gate.

Whoever places, amends or withdraws takes the round's row `FOR SHARE` first; the gate takes it
`FOR UPDATE`. So a gate waits only for those in flight, and whoever waited for a gate finds the
round closed. The clock is read after the lock: the instant of a request that waited is not the
instant it was accepted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import clock, ids
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.rounds import rules
from exchange.rounds.errors import NoCancelPhase, NoOpenRound
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus

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
    an earlier gate do not concern it. Raises NoCancelPhase.
    """
    assert connection.in_atomic_block, "a round is locked inside the transaction that uses it"
    frozen = Round.objects.filter(
        market=market, status__in=rules.IN_PROGRESS, scheduled_at__gt=accepted_at
    ).first()
    if frozen is not None:
        raise NoCancelPhase(frozen.scheduled_at)
    for _ in range(_ATTEMPTS):
        concerned = _share(market, gate_after=accepted_at)
        if concerned is None:
            ensure_round(market, after=max(now, accepted_at), now=now)
            continue
        instant = clock.now()
        if rules.allows_lowering_at(concerned.status, locks_at=concerned.locks_at, now=instant):
            return Entry(concerned, instant)
        raise NoCancelPhase(concerned.scheduled_at)
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
    """Make the row of the first gate after the instant, unless it exists."""
    gate_at = market_rules.next_gate(market.terms, after)
    Round.objects.bulk_create(
        [
            Round(
                id=ids.new_id(),
                market=market,
                scheduled_at=gate_at,
                locks_at=market_rules.cancel_deadline(market.terms, gate_at),
                status=RoundStatus.OPEN,
                rules_version=market.rules_version,
                created_at=now,
            )
        ],
        ignore_conflicts=True,  # two requests may make it at once; the unique gate decides
    )


def move(actor: Actor, closing: Round, target: RoundStatus, *, now: datetime, **stamps: object) -> None:
    """Change the status of a round whose row the caller has locked, with its event and its trail.

    `stamps` are further fields to set. Raises RoundMoveRefused.
    """
    rules.check_move(closing.status, target)
    before = {"status": closing.status}
    closing.status = target
    for name, value in stamps.items():
        setattr(closing, name, value)
    closing.save(update_fields=["status", *stamps])
    events.emit(
        f"round.{target}",
        "round",
        closing.id,
        None,
        {"round": ids.spell("rnd", closing.id), "market": closing.market.code, "status": target.value},
        now=now,
    )
    audit.record(actor, f"round.{target}", "round", closing.id, before, {"status": target.value}, now=now)
