"""The actor of a web request."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.actors import services
from accounts.actors.actor import Actor
from accounts.actors.errors import NotAMember, OrganisationNotActive
from accounts.audit import origin
from accounts.foundation import ids
from accounts.organisations.models import Organisation, User

CHOSEN = "organisation_id"  # session key


class ActorMiddleware:
    """Set `request.actor` from the session (None when nobody is signed in) and name the origin for the audit trail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = of_session(request)
        request.actor = actor  # type: ignore[attr-defined]
        request.organisation = _organisation(actor)  # type: ignore[attr-defined]
        request_id = request.headers.get("X-Request-Id", "")
        with origin.of_request(address=network_address(request), request_id=request_id[:64]):
            response = self.get_response(request)
        if actor is not None:
            # What somebody was shown is not to be had from a cache after they have left.
            response.setdefault("Cache-Control", "private, no-store")
        return response


def actor_of(request: HttpRequest) -> Actor | None:
    """Return who acts in this request; None when nobody is signed in."""
    return getattr(request, "actor", None)


def of_session(request: HttpRequest) -> Actor | None:
    """Return the signed-in person acting for the organisation chosen in the session.

    Where that organisation may not act any more, the person acts for none.
    """
    user = request.user
    if not isinstance(user, User):
        return None
    chosen = request.session.get(CHOSEN)
    try:
        return services.for_user(user, None if chosen is None else UUID(chosen))
    except (NotAMember, OrganisationNotActive):
        return Actor(None, user.id, None, frozenset(), ids.spell("usr", user.id))


def _organisation(actor: Actor | None) -> Organisation | None:
    """Return the organisation acted for, read when a page shows its name."""
    if actor is None or actor.organisation_id is None:
        return None
    organisation_id = actor.organisation_id
    return cast("Organisation", SimpleLazyObject(lambda: Organisation.objects.get(pk=organisation_id)))


def network_address(request: HttpRequest) -> str:
    """Return the client's network address, from the header that the proxy in front sets if there is one."""
    header: str = settings.CLIENT_ADDRESS_HEADER
    named = request.headers.get(header, "") if header else ""
    return (named or str(request.META.get("REMOTE_ADDR", "")))[:64]
