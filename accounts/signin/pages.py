"""Pages of signing in, signing out and choosing an organisation."""

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import services as actors
from accounts.actors.errors import NotAMember, OrganisationNotActive
from accounts.actors.requests import CHOSEN, actor_of, network_address
from accounts.foundation import clock
from accounts.organisations import queries as organisations
from accounts.organisations.models import User
from accounts.signin import services
from accounts.signin.errors import SignInRefused, TooManySignIns
from accounts.signin.forms import ChooseOrganisationForm, SignInForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for address and password; a wrong address and a wrong password are told in the same words."""
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            user = services.check_password(
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                address=network_address(request),
                now=clock.now(),
            )
        except (SignInRefused, TooManySignIns) as error:
            form.add_error(None, error.detail)
            status = 429 if isinstance(error, TooManySignIns) else 200
        else:
            login(request, user, backend=BACKEND)  # gives the session a new key
            return _after(request)
    return render(request, "accounts/sign_in.html", {"form": form, "next": _next(request)}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, here and in the database."""
    logout(request)
    return redirect("sign_in")


@never_cache
@require_http_methods(["GET", "POST"])
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """Let a person say for which of their organisations they act."""
    actor = actor_of(request)
    if actor is None or not isinstance(request.user, User):
        return redirect("sign_in")
    choices = organisations.organisations_of(request.user)
    form = ChooseOrganisationForm(
        request.POST or None, organisations=choices, initial={"organisation": actor.organisation_id}
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["organisation"]
        try:
            actors.for_user(request.user, chosen.id)
        except (NotAMember, OrganisationNotActive) as error:
            form.add_error("organisation", error.detail)
        else:
            request.session[CHOSEN] = str(chosen.id)
            request.session.cycle_key()  # what may be done changes, so the session's name does
            return _after(request)
    context = {"form": form, "next": _next(request), "any": choices.exists()}
    return render(request, "accounts/choose_organisation.html", context)


def _next(request: HttpRequest) -> str:
    """Return where to go on to, "/" unless an address of this site is named from its root."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if not wanted.startswith("/") or not wanted.isprintable():
        return "/"
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"


def _after(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(_next(request))
