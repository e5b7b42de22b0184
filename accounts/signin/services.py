"""Checking a password, with a brake on guessing."""

import hashlib
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.foundation import ids
from accounts.organisations.models import User
from accounts.signin.errors import SignInRefused, TooManySignIns
from accounts.signin.models import SignInWindow

WINDOW: Final = timedelta(minutes=15)
TRIES_PER_PERSON: Final = 10
TRIES_PER_ADDRESS: Final = 100  # an office shares one network address


def check_password(*, email: str, password: str, address: str, now: datetime) -> User:
    """Return the person with this e-mail address and password; `address` is the network address asking.

    Raises TooManySignIns and SignInRefused. Each try counts before it is checked, in a transaction
    of its own, so that tries at the same moment cannot pass together.
    """
    email = email.strip().lower()
    _count(f"person:{email}", TRIES_PER_PERSON, now=now)
    _count(f"address:{address}", TRIES_PER_ADDRESS, now=now)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        make_password(password)  # costs the same as checking one: time does not tell who has an account
        raise SignInRefused
    if not user.check_password(password):
        raise SignInRefused
    with transaction.atomic():
        SignInWindow.objects.filter(subject_sha256=_digest(f"person:{email}")).delete()
        SignInWindow.objects.filter(started_at__lt=now - timedelta(days=1)).delete()
        actor = Actor(None, user.id, None, frozenset(), ids.spell("usr", user.id))
        audit.record(actor, "user.sign_in", "user", user.id, None, None, now=now)
    return user


def _count(subject: str, limit: int, *, now: datetime) -> None:
    seconds = int(WINDOW.total_seconds())
    started = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=UTC)
    with connection.cursor() as cursor:
        # One statement adds and reads: two requests never see the same number.
        cursor.execute(
            "INSERT INTO accounts_signinwindow AS seen (subject_sha256, started_at, tries) VALUES (%s, %s, 1)"
            " ON CONFLICT (subject_sha256, started_at) DO UPDATE SET tries = seen.tries + 1 RETURNING tries",
            [_digest(subject), started],
        )
        (tries,) = cursor.fetchone()
    if tries > limit:
        raise TooManySignIns(retry_after_seconds=ceil((started + WINDOW - now).total_seconds()))


def _digest(subject: str) -> bytes:
    return hashlib.sha256(subject.encode()).digest()
