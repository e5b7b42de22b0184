"""Asking the payment service: the intention is committed before the call, the outcome in a transaction after it.

`intend` belongs in the transaction of the row that the call is for, together with a job. The job calls `perform`,
outside every transaction, and then settles its row by what it returns.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import rfc8785
from django.db import transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.foundation import ids
from billing.gateway import rules, stripe
from billing.gateway.errors import CallRefused, NoSuchObject, OutcomeUnknown
from billing.gateway.models import GatewayCall
from billing.gateway.rules import CallState, Operation

_ACTOR: Final = Actor.system("gateway")


def intend(
    operation: Operation,
    subject_type: str,
    subject_id: UUID,
    parameters: Mapping[str, Any],
    *,
    account: str = "",
    now: datetime,
) -> GatewayCall:
    """Write down what is to be asked for a row, once; a second time for the same row returns the first call.

    `parameters` are Stripe's; the mark by which the made object can be found again is added to its metadata.
    """
    before = GatewayCall.objects.filter(operation=operation, subject_type=subject_type, subject_id=subject_id).first()
    if before is not None:
        return before
    call_id = ids.new_id()
    sent = dict(parameters)
    if operation not in _UNMARKED:
        sent["metadata"] = {**sent.get("metadata", {}), "call": str(call_id)}
    return GatewayCall.objects.create(
        id=call_id,
        operation=operation,
        subject_type=subject_type,
        subject_id=subject_id,
        key=f"cx-{operation}-{call_id}",
        parameters=rfc8785.dumps(sent).decode(),
        account=account,
        created_at=now,
    )


_UNMARKED: Final = frozenset({Operation.DETACH_METHOD, Operation.CONNECT_LINK})


def perform(operation: Operation, subject_type: str, subject_id: UUID, *, now: datetime) -> GatewayCall:
    """Make a call that was intended, or say how it ended when it was made before.

    The answer is a call that is done or refused. Raises OutcomeUnknown when it is neither: the caller's job tries
    again, with the same key for 24 hours; later the call is looked for and never sent again. Never inside a
    transaction: a connection held while Stripe thinks would hold locks.
    """
    call = GatewayCall.objects.get(operation=operation, subject_type=subject_type, subject_id=subject_id)
    if call.state in {CallState.DONE, CallState.REFUSED}:
        return call
    gateway = stripe.from_settings()
    too_late = call.first_sent_at is not None and now - call.first_sent_at >= rules.KEY_LIVES
    sent = json.loads(call.parameters)
    if call.first_sent_at is not None:
        # It may have arrived, and an error may be what the key is answered with from now on: look first.
        made = gateway.found(
            operation, call=str(call.id), since=call.created_at - rules.OVERLAP, on=sent.get("on", ""),
            account=call.account,
        )  # fmt: skip
        if made is not None:
            return _done(call, made.id, made.url, made.status, now=now)
        if too_late:
            return _refused(call, CallRefused("never_arrived", "Stripe has nothing of this call."), now=now)
    _sending(call, now=now)
    try:
        made = gateway.make(operation, sent, key=call.key, account=call.account)
    except (CallRefused, NoSuchObject) as error:
        return _refused(call, error, now=now)
    return _done(call, made.id, made.url, made.status, now=now)


def calls_under_way() -> bool:
    """Tell whether something was asked whose answer is not here yet. A link makes nothing that could be told of."""
    open_calls = GatewayCall.objects.filter(state__in=[CallState.INTENDED, CallState.UNKNOWN])
    return open_calls.exclude(operation=Operation.CONNECT_LINK).exists()


def settled(operation: Operation, subject_type: str, subject_id: UUID) -> GatewayCall | None:
    """Return the call of a row, if one was intended."""
    return GatewayCall.objects.filter(operation=operation, subject_type=subject_type, subject_id=subject_id).first()


@transaction.atomic(durable=True)
def _sending(call: GatewayCall, *, now: datetime) -> None:
    locked = _locked(call)
    if locked.state in {CallState.DONE, CallState.REFUSED}:
        raise OutcomeUnknown("Another worker has just had the answer.")
    # Unknown from the moment it leaves: whoever dies on the way leaves a call that must be looked for.
    locked.state = CallState.UNKNOWN
    locked.attempts += 1
    locked.first_sent_at = locked.first_sent_at or now
    locked.save(update_fields=["state", "attempts", "first_sent_at"])
    call.first_sent_at, call.attempts = locked.first_sent_at, locked.attempts


@transaction.atomic
def _done(call: GatewayCall, object_id: str, url: str, status: str, *, now: datetime) -> GatewayCall:
    locked = _locked(call)
    if locked.state in {CallState.DONE, CallState.REFUSED}:
        return locked
    locked.state, locked.answered_at = CallState.DONE, now
    locked.object_id, locked.object_url, locked.object_status = object_id, url, status
    locked.save(update_fields=["state", "answered_at", "object_id", "object_url", "object_status"])
    _note(locked, {"object": object_id}, now=now)
    return locked


@transaction.atomic
def _refused(call: GatewayCall, error: CallRefused | NoSuchObject, *, now: datetime) -> GatewayCall:
    locked = _locked(call)
    if locked.state in {CallState.DONE, CallState.REFUSED}:
        return locked
    locked.state, locked.answered_at = CallState.REFUSED, now
    locked.refusal_code = (error.reason if isinstance(error, CallRefused) else error.code)[:80]
    locked.refusal = error.detail[:500]
    locked.object_id = error.object_id if isinstance(error, CallRefused) else ""
    locked.save(update_fields=["state", "answered_at", "refusal_code", "refusal", "object_id"])
    _note(locked, {"refusal": locked.refusal_code}, now=now)
    return locked


def _locked(call: GatewayCall) -> GatewayCall:
    return GatewayCall.objects.select_for_update(no_key=True).get(id=call.id)


def _note(call: GatewayCall, found: Mapping[str, object], *, now: datetime) -> None:
    after = {"operation": call.operation, "state": str(call.state), "attempts": call.attempts, **found}
    audit.record(_ACTOR, "gateway.call", call.subject_type, call.subject_id, None, after, now=now)
