"""What HTML views say about who may open them."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.actors.actor import Actor, Capability
from accounts.actors.requests import actor_of

Rest = ParamSpec("Rest")
Page = Callable[Concatenate[HttpRequest, Rest], HttpResponseBase]
PageOfActor = Callable[Concatenate[HttpRequest, Actor, Rest], HttpResponseBase]


def actor_required(*capabilities: Capability) -> Callable[[PageOfActor[Rest]], Page[Rest]]:
    """Pass the actor to a page: `@actor_required(Capability.TRADE)` over `def place(request, actor, ...)`.

    Sends visitors to sign in, and members of several organisations to choose one. With several
    capabilities any one of them suffices; with none, any actor that has an organisation.
    """

    def decorate(page: PageOfActor[Rest]) -> Page[Rest]:
        @wraps(page)
        def guarded(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            actor = actor_of(request)
            if actor is None or actor.organisation_id is None:
                return _elsewhere(request, "sign_in" if actor is None else "choose_organisation")
            if capabilities:
                actor.require(*capabilities)
            return page(request, actor, *args, **kwargs)

        guarded.required_capabilities = capabilities  # type: ignore[attr-defined]
        return cast("Page[Rest]", guarded)

    return decorate


def _elsewhere(request: HttpRequest, name: str) -> HttpResponse:
    # Only a page can be come back to; the form of a POST is gone.
    query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
    return redirect(f"{reverse(name)}?{query}" if query else reverse(name))
