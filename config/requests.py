"""What every request gets: an id that its log lines share, and the content security policy."""

import re
import uuid
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config import logs

HEADER: Final = "X-Request-Id"
# A caller's id is taken over only in a shape that cannot forge log lines.
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Name the request, in its log lines and in the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        name = offered if _ACCEPTABLE.match(offered) else uuid.uuid4().hex
        request.META["HTTP_X_REQUEST_ID"] = name  # what later readers of the request see is the accepted name
        token = logs.request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            logs.request_id.reset(token)
        response[HEADER] = name
        return response


class ContentSecurityMiddleware:
    """Send the content security and permissions policies with every answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", _policy())
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response


def _policy() -> str:
    sources = dict(settings.CONTENT_SECURITY_POLICY)
    if settings.STRIPE_SECRET_KEY:
        sources["form-action"] = " ".join([sources["form-action"], *settings.STRIPE_PAGES])
    return "; ".join(f"{name} {value}" for name, value in sources.items())
