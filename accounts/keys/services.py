"""Issuing, revoking and recognising API keys."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.actors.rules import allowed_by_scopes
from accounts.audit import services as audit
from accounts.foundation.errors import Invalid, NotFound
from accounts.keys import queries, rules
from accounts.keys.errors import KeyNotAccepted, ScopeTooWide
from accounts.keys.models import ApiKey
from accounts.keys.rules import LONGEST_LIFE, Scope
from accounts.organisations.models import Organisation

# Written at most this often: a busy key would otherwise turn every read into a write of one hot row.
_USE_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class IssuedKey:
    """A new key and its text, which is shown once and kept nowhere."""

    key: ApiKey
    secret_text: str


@transaction.atomic
def issue(actor: Actor, *, name: str, scopes: Iterable[Scope], expires_at: datetime, now: datetime) -> IssuedKey:
    """Make a key for the actor's organisation.

    Raises NotAllowed without MANAGE_KEYS, ScopeTooWide for a scope beyond what the actor may do,
    Invalid for no scope or an expiry that is past or more than 365 days away.
    """
    actor.require(Capability.MANAGE_KEYS)
    organisation = Organisation.objects.get(pk=actor.organisation())
    chosen = sorted(set(scopes))
    if not chosen:
        raise Invalid.field("/scopes", [], "at least one scope")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid.field("/expires_at", expires_at.isoformat(), "a time within the next 365 days")
    for scope in chosen:
        # An administrator holds every capability of the organisation's own desks, so this refuses
        # scopes of a desk that the administrator does not belong to.
        allowed = allowed_by_scopes(organisation, [scope])
        if not allowed or not allowed <= actor.capabilities:
            raise ScopeTooWide(scope)
    text = rules.compose(_fresh_public_id(), secrets.randbits(256))
    key = ApiKey.objects.create(
        organisation=organisation,
        name=name,
        public_id=text.public_id,
        secret_sha256=text.digest,
        scopes=[str(scope) for scope in chosen],
        created_by_id=actor.user_id,
        created_at=now,
        expires_at=expires_at,
    )
    after = {"name": name, "scopes": chosen, "expires_at": expires_at}
    audit.record(actor, "key.issue", "key", key.id, None, after, now=now)
    return IssuedKey(key, text.text)


def _fresh_public_id() -> str:
    return rules.base62(secrets.randbelow(62**rules.PUBLIC_ID_LENGTH), rules.PUBLIC_ID_LENGTH)


@transaction.atomic
def revoke(actor: Actor, key_id: UUID, *, now: datetime) -> ApiKey:
    """End a key: it is refused from the next request on. Revoking twice is no error."""
    actor.require(Capability.MANAGE_KEYS)
    key = queries.visible_to(actor).select_for_update(of=("self",)).filter(pk=key_id).first()
    if key is None:
        raise NotFound
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        audit.record(actor, "key.revoke", "key", key.id, {"revoked": False}, {"revoked": True}, now=now)
    return key


def identify(text: str, *, now: datetime) -> ApiKey:
    """Return the live key that a text belongs to; raises KeyNotAccepted."""
    parts = rules.read(text)
    if parts is None:
        raise KeyNotAccepted
    key = ApiKey.objects.select_related("organisation").filter(public_id=parts.public_id).first()
    if key is None or not hmac.compare_digest(bytes(key.secret_sha256), parts.digest):
        raise KeyNotAccepted
    if key.revoked_at is not None or key.expires_at <= now:
        raise KeyNotAccepted
    if key.last_used_at is None or key.last_used_at <= now - _USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key
