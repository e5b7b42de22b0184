"""The page of API keys."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors.actor import Actor, Capability
from accounts.actors.pages import actor_required
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.keys import queries, services
from accounts.keys.forms import KeyForm
from accounts.keys.rules import LONGEST_LIFE, PREFIX, Scope


@never_cache  # a new key's secret is on this page once
@require_http_methods(["GET", "POST"])
@actor_required(Capability.MANAGE_KEYS)
def keys_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the organisation's keys and issue new ones; a new secret is shown here and never again."""
    form = KeyForm(request.POST or None)
    issued = None
    now = clock.now()
    if request.method == "POST" and form.is_valid():
        # The year is counted to the second; the moment between reading the clock and writing must fit in.
        life = min(timedelta(days=int(form.cleaned_data["days"])), LONGEST_LIFE)
        scopes = [Scope(scope) for scope in form.cleaned_data["scopes"]]
        try:
            issued = services.issue(
                actor, name=form.cleaned_data["name"], scopes=scopes, expires_at=now + life, now=now
            )
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            form = KeyForm()
    keys = queries.visible_to(actor).order_by("-id")
    context = {"form": form, "issued": issued, "keys": keys, "prefix": PREFIX, "now": now}
    return render(request, "accounts/keys.html", context, status=422 if form.errors else 200)


@require_POST
@actor_required(Capability.MANAGE_KEYS)
def revoke_key(request: HttpRequest, actor: Actor, key_id: UUID) -> HttpResponse:
    """End a key."""
    key = services.revoke(actor, key_id, now=clock.now())
    messages.success(request, _("The key %(name)s is revoked.") % {"name": key.name})
    return redirect("api_keys")
