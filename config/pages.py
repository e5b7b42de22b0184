"""What happens on pages when something is refused, missing or broken, and where `/` leads."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts.foundation import errors
from accounts.foundation.errors import DomainError
from config import api


class RefusalMiddleware:
    """Show a refusal that a page did not catch as a page with its sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a DomainError; anything else is left to Django."""
        return refused(request, exception) if isinstance(exception, DomainError) else None


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the page, or for the API the problem, of a refusal."""
    if api.concerns(request):
        return api.answer(error)
    status = api.status_of(error)
    return render(request, "refused.html", {"detail": error.detail, "title": status.phrase}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django could not read."""
    return refused(request, errors.Invalid("The request cannot be read."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django's own checks refuse."""
    return refused(request, errors.Forbidden(str(exception) or "This is not allowed."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an address that leads nowhere exactly like a thing that is not there."""
    return refused(request, errors.NotFound())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form that carries no token of this session."""
    return refused(request, errors.Forbidden("This form has expired. Go back, load the page again and send it anew."))
