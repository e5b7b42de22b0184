"""Doing something once for a key, however often it is asked for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from accounts.actors.actor import Actor
from accounts.idempotency.errors import KeyMalformed, KeyMissing, KeyReused, StillRunning
from accounts.idempotency.models import IdempotencyRecord

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}\Z", re.ASCII)
# Answers that are kept. A malformed request (400) or a lack of rights (401, 403) changed nothing
# and may be put right and sent again under the same key.
_KEPT: Final = frozenset({200, 201, 202, 204, 402, 404, 409, 422})


@dataclass(frozen=True)
class Answer:
    """A status code and the body as it was sent; `replayed` when it was first given earlier."""

    status_code: int
    body: str
    replayed: bool = False


def check_key(text: str | None) -> str:
    """Return the key of a request; raises KeyMissing and KeyMalformed."""
    if not text:
        raise KeyMissing
    if not _KEY.match(text):
        raise KeyMalformed
    return text


@transaction.atomic
def once(
    actor: Actor,
    *,
    key: str,
    request_hash: bytes,
    method: str,
    path: str,
    now: datetime,
    effect: Callable[[], Answer],
) -> Answer:
    """Return the answer of the first request with this key, running `effect` if this is the first.

    Effect and answer commit together. An effect that answers with a refusal must have rolled
    back what it did. Raises StillRunning while another request with the key runs, and KeyReused
    when the key was used for another request.
    """
    organisation_id = actor.organisation()
    # Held until the commit. A second request is told so at once instead of holding a connection.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{organisation_id}/{key}"])
        (locked,) = cursor.fetchone()
    if not locked:
        raise StillRunning
    known = IdempotencyRecord.objects.filter(organisation_id=organisation_id, key=key).first()
    if known is not None:
        if bytes(known.request_hash) != request_hash:
            raise KeyReused
        return Answer(known.status_code, known.response, replayed=True)
    answer = effect()
    if answer.status_code in _KEPT:
        IdempotencyRecord.objects.create(
            organisation_id=organisation_id,
            key=key,
            request_hash=request_hash,
            method=method,
            path=path[:500],
            status_code=answer.status_code,
            response=answer.body,
            created_at=now,
        )
    return answer
