"""The page on which an invited person comes in."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.actors.requests import CHOSEN
from accounts.foundation import clock
from accounts.foundation.errors import Conflict, Invalid
from accounts.invitations import services
from accounts.invitations.forms import AcceptForm
from accounts.organisations.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Show the invitation; let its holder in and sign them in."""
    now = clock.now()
    invitation = services.find(secret, now=now)
    user = request.user if isinstance(request.user, User) else None
    form = AcceptForm(request.POST or None) if user is None else None
    problem = ""
    if request.method == "POST" and (form is None or form.is_valid()):
        given = form.cleaned_data if form is not None else {"display_name": "", "password": ""}
        try:
            membership = services.accept(secret, user=user, **given, now=now)
        except (Conflict, Invalid) as error:
            problem = error.detail
        else:
            login(request, membership.user, backend=BACKEND)
            request.session[CHOSEN] = str(membership.organisation_id)
            return redirect("/")
    context = {"form": form, "invitation": invitation, "problem": problem}
    return render(request, "accounts/accept_invitation.html", context)
