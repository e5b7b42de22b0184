"""What anybody may read without a key: answers with a validator for caches, and a brake on those who ask too often."""

import hashlib
import logging
from collections.abc import Iterable
from typing import Any, ClassVar, Final, TypeVar

import redis
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.actors.requests import network_address
from accounts.web.views import ExchangeAPIView

Answer = TypeVar("Answer", bound=HttpResponseBase)

logger = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60
# One round trip, so that a hundred requests at once are counted as a hundred.
_COUNT: Final = """
local seen = redis.call('INCR', KEYS[1])
if seen == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {seen, redis.call('TTL', KEYS[1])}
"""


class PublicBrake(BaseThrottle):
    """Count the requests of a network address; open when the counter is out of reach, for nothing is at stake."""

    def __init__(self) -> None:
        self.wait_seconds = 0

    def allow_request(self, request: Request, view: object) -> bool:
        """Return whether the address has asked at most as often as the settings allow in its window."""
        key = f"public:{hashlib.sha256(network_address(request._request).encode()).hexdigest()[:32]}"
        try:
            with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as counter:
                seen, left = counter.eval(_COUNT, 1, key, WINDOW_SECONDS)
        except redis.RedisError as error:
            logger.warning("the brake on public reads is off: %s", error)
            return True
        self.wait_seconds = max(1, int(left))
        return int(seen) <= settings.PUBLIC_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return float(self.wait_seconds)


class PublicAPIView(ExchangeAPIView):
    """A resource that is the same for everybody and needs no key."""

    throttle_classes = (PublicBrake,)
    # How long a cache may keep an answer without asking again.
    cache_seconds: ClassVar[int] = 5

    def answer_bytes(self, content: bytes, *, digest: str = "", content_type: str = "application/json") -> HttpResponse:
        """Answer bytes as they are, or 304 to whoever has them; `digest` names them where it is known."""
        etag = f'"{digest or hashlib.sha256(content).hexdigest()}"'
        response = self._not_modified(etag) or HttpResponse(content, content_type=content_type)
        return self._kept(response, etag)

    def answer_json(self, document: object) -> HttpResponse:
        """Answer a document of plain values."""
        return self.answer_bytes(JSONRenderer().render(document))

    def answer_stream(
        self, lines: Iterable[bytes], *, version: str, content_type: str, filename: str
    ) -> HttpResponseBase:
        """Answer lines as they are read; equal versions mean equal lines."""
        etag = f'"{hashlib.sha256(version.encode()).hexdigest()}"'
        if (unchanged := self._not_modified(etag)) is not None:
            return self._kept(unchanged, etag)
        response = StreamingHttpResponse(lines, content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
        return self._kept(response, etag)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Give a validator to what was rendered from a serializer, too."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if not isinstance(response, Response) or response.status_code != 200 or response.data is None:
            return response
        etag = f'"{hashlib.sha256(response.rendered_content).hexdigest()}"'
        return self._kept(self._not_modified(etag) or response, etag)

    def _not_modified(self, etag: str) -> HttpResponse | None:
        if self.request.method not in {"GET", "HEAD"}:
            return None
        answer: HttpResponse | None = get_conditional_response(self.request._request, etag=etag)
        return answer

    def _kept(self, response: Answer, etag: str) -> Answer:
        response["ETag"] = etag
        response["Cache-Control"] = f"public, max-age={self.cache_seconds}"
        return response
