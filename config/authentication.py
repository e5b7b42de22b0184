"""Who calls the API: a program by its key, or a person by the session of the pages."""

from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts.actors import services as actors
from accounts.actors.actor import Actor
from accounts.actors.requests import actor_of
from accounts.foundation import clock
from accounts.keys import services as keys
from accounts.keys.errors import KeyNotAccepted


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer cx_live_...`."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        """Return the key's actor; None without the header; raises KeyNotAccepted for any other."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer":
            raise KeyNotAccepted
        key = keys.identify(text.strip(), now=clock.now())
        return AnonymousUser(), actors.for_key(key)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that goes with a 401."""
        return 'Bearer realm="exchange"'


class PageSessionAuthentication(SessionAuthentication):
    """The session of the pages, with its CSRF token on everything that writes."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the signed-in person's actor; None when nobody is signed in."""
        actor = actor_of(request._request)
        if actor is None:
            return None
        # Django's request, not DRF's: looking for the token there would parse the body before its turn.
        self.enforce_csrf(cast("Request", request._request))
        return request._request.user, actor
