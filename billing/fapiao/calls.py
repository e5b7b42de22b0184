"""Calls to the issuing service: sent by a job, looked at again by the poller until there is an answer.

A call is marked as sent before it leaves. Whatever happens then, it is looked for under its key first, and sent again,
with the same key and the same body, only where the service has nothing of it.
"""

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts.actors.actor import Actor
from accounts.events import services as events
from accounts.foundation import ids
from accounts.foundation.errors import DomainError
from accounts.foundation.failures import Failures
from billing.fapiao import issuer, opening, reds, services
from billing.fapiao.errors import IssuerUnclear
from billing.fapiao.issuer import Answer, Verdict
from billing.fapiao.models import Fapiao, FapiaoCall
from billing.fapiao.rules import WAITING, CallState, Status

log = logging.getLogger(__name__)

ACTOR: Final = Actor.system("fapiao")
LOOK_EVERY: Final = timedelta(seconds=60)


def push(fapiao_id: UUID, *, now: datetime) -> None:
    """Send a call, or look what became of it; safe to repeat and to run twice at once, outside every transaction.

    A service that does not answer leaves its problem on the call, and the poller looks again.
    """
    call = FapiaoCall.objects.get(fapiao_id=fapiao_id)
    service = issuer.from_settings()
    if service is None or call.state == CallState.ANSWERED:
        return
    was_sent = call.state == CallState.SENT
    try:
        answer = service.look(call.key) if was_sent else None
        if answer is None:
            if not _sending(call, now=now):
                return
            answer = service.submit(call.body, key=call.key)
        _settle(fapiao_id, answer, now=now)
    except DomainError as error:
        # Not only silence: an answer that contradicts what was asked for is a problem for a person.
        _unclear(call, error, now=now)


def poll(*, now: datetime, limit: int = 100) -> int:
    """Look again at calls without an answer, those that were not looked at for longest first; returns how many."""
    if issuer.from_settings() is None:
        return 0
    due = FapiaoCall.objects.exclude(state=CallState.ANSWERED).filter(
        Q(looked_at__lte=now - LOOK_EVERY) | Q(looked_at__isnull=True, created_at__lte=now - LOOK_EVERY)
    )
    found = list(due.order_by(F("looked_at").asc(nulls_first=True), "id").values_list("fapiao_id", flat=True)[:limit])
    failures = Failures()
    for fapiao_id in found:
        with failures.kept(f"fapiao {fapiao_id}"):
            push(fapiao_id, now=now)
    failures.raise_any()
    return len(found)


@transaction.atomic
def _sending(call: FapiaoCall, *, now: datetime) -> bool:
    """Mark a call as sent, unknown from now on; False when there is nothing to send any more."""
    fapiao = reds.locked(call.fapiao_id)
    if fapiao.status not in WAITING:
        return False
    if fapiao.status == Status.REQUESTED:
        fapiao.status = Status.ISSUING
        fapiao.save(update_fields=["status"])
        opening.tell(ACTOR, fapiao, "issuing", Status.REQUESTED, now=now)
    locked = FapiaoCall.objects.select_for_update(no_key=True).get(id=call.id)
    locked.state = CallState.SENT
    locked.attempts += 1
    locked.first_sent_at, locked.looked_at = locked.first_sent_at or now, now
    locked.save(update_fields=["state", "attempts", "first_sent_at", "looked_at"])
    return True


@transaction.atomic
def _settle(fapiao_id: UUID, answer: Answer, *, now: datetime) -> None:
    fapiao: Fapiao = reds.locked(fapiao_id)
    if fapiao.status not in WAITING:
        return  # an answer that comes late says nothing new
    if answer.verdict is Verdict.REFUSED:
        services.refuse(ACTOR, fapiao_id, reason=answer.reason, is_the_issuers=True, now=now)
    elif answer.issued is not None:
        services.record(ACTOR, fapiao_id, answer.issued, now=now)
    else:
        FapiaoCall.objects.filter(fapiao_id=fapiao_id).update(looked_at=now, problem="")


@transaction.atomic
def _unclear(call: FapiaoCall, error: DomainError, *, now: datetime) -> None:
    locked = FapiaoCall.objects.select_for_update(no_key=True).get(id=call.id)
    if locked.state == CallState.ANSWERED:
        return
    is_new = locked.problem != error.detail[:500]
    locked.problem, locked.looked_at = error.detail[:500], now
    locked.save(update_fields=["problem", "looked_at"])
    log.warning("fapiao %s: %s", locked.key, error.detail)
    if is_new and not isinstance(error, IssuerUnclear):
        said = {"fapiao": ids.spell("fap", locked.fapiao_id), "problem": locked.problem}
        events.emit("fapiao.contradicted", "fapiao", locked.fapiao_id, None, said, now=now)
