"""Giving a round up takes two people: one asks with a reason that members will read, another one confirms.

The database refuses a round that an operator gives up without both; gates that passed unattended are void by the clock.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from exchange.auctions import gates
from exchange.rounds import rules, services
from exchange.rounds.errors import VoidAsked, VoidNeedsPerson, VoidNeedsReason, VoidNotAsked, VoidOfOneself
from exchange.rounds.models import VOID_REASON_CHARACTERS, Round, RoundVoidRequest
from exchange.rounds.rules import RoundStatus, VoidState


@transaction.atomic
def ask(actor: Actor, round_id: UUID, *, reason: str, now: datetime) -> RoundVoidRequest:
    """Ask that a round be given up before its outcome binds, and tell the staff; nothing stops meanwhile.

    Needs OPERATE. Raises RoundNotFound, RoundMoveRefused, VoidNeedsPerson, VoidNeedsReason, VoidAsked.
    """
    person = _person(actor)
    reason = reason.strip()[:VOID_REASON_CHARACTERS]
    if not reason:
        raise VoidNeedsReason
    concerned = services.lock(round_id)  # of two that ask at once the second sees the first
    rules.check_move(concerned.status, RoundStatus.VOID)
    if concerned.void_requests.filter(state=VoidState.ASKED).exists():
        raise VoidAsked
    asked = RoundVoidRequest.objects.create(
        round=concerned, reason=reason, state=VoidState.ASKED, requested_by_id=person, requested_at=now
    )
    audit.record(actor, "round.void_ask", "round", concerned.id, None, {"reason": reason}, now=now)
    services.alarm(concerned, "round.void_asked", {"reason": reason}, now=now)
    return asked


@transaction.atomic
def confirm(actor: Actor, round_id: UUID, *, now: datetime) -> Round:
    """Give up a round that another person asks to give up: its orders go on, open, to the next one.

    Needs OPERATE. Raises RoundNotFound, RoundMoveRefused, VoidNeedsPerson, VoidNotAsked, VoidOfOneself.
    """
    person = _person(actor)
    concerned = services.lock(round_id)
    asked = _asked(concerned)
    if asked.requested_by_id == person:
        raise VoidOfOneself
    rules.check_move(concerned.status, RoundStatus.VOID)
    _decide(asked, VoidState.CONFIRMED, person, now=now)
    return gates.void_round(actor, round_id, reason=asked.reason, now=now)


@transaction.atomic
def decline(actor: Actor, round_id: UUID, *, now: datetime) -> RoundVoidRequest:
    """Decline that a round be given up; who asked may take it back so. Raises as `confirm`, but for the person."""
    person = _person(actor)
    concerned = services.lock(round_id)
    asked = _asked(concerned)
    _decide(asked, VoidState.DECLINED, person, now=now)
    audit.record(actor, "round.void_decline", "round", concerned.id, None, {"reason": asked.reason}, now=now)
    return asked


def _person(actor: Actor) -> UUID:
    actor.require(Capability.OPERATE)
    if actor.user_id is None:
        raise VoidNeedsPerson
    return actor.user_id


def _asked(concerned: Round) -> RoundVoidRequest:
    asked = concerned.void_requests.filter(state=VoidState.ASKED).first()
    if asked is None:
        raise VoidNotAsked
    return asked


def _decide(asked: RoundVoidRequest, state: VoidState, person: UUID, *, now: datetime) -> None:
    asked.state = state
    asked.decided_by_id = person
    asked.decided_at = now
    asked.save(update_fields=["state", "decided_by", "decided_at"])
