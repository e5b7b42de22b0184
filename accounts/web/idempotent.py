"""POSTs that take effect once: the Idempotency-Key header."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from django.db import OperationalError, transaction
from django.http import HttpResponse
from psycopg import errors as postgres
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.idempotency import services as idempotency
from accounts.idempotency.errors import HEADER
from accounts.idempotency.services import Answer
from accounts.web.views import ExchangeAPIView, raw_body

REPLAYED: Final = "Idempotency-Replayed"
_ATTEMPTS: Final = 3

Rest = ParamSpec("Rest")
View = TypeVar("View", bound=ExchangeAPIView)
Method = Callable[Concatenate[View, Request, Rest], Response]


def idempotent(method: Method[View, Rest]) -> Callable[Concatenate[View, Request, Rest], HttpResponse]:
    """Run a view's method once for each key of an organisation; the first answer is given again afterwards.

    The answer commits in the transaction of the effect. Kept are successes and the refusals 402,
    404, 409 and 422; a malformed request (400) may be put right and sent under the same key.
    """

    @wraps(method)
    def keyed(view: View, request: Request, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        key = idempotency.check_key(request.headers.get(HEADER))
        django_request = request._request
        fingerprint = hashlib.sha256(
            f"{request.method} {django_request.get_full_path()}\n".encode() + raw_body(request)
        ).digest()

        def effect() -> Answer:
            return _effect(view, lambda: method(view, request, *args, **kwargs))

        answer = _outermost(
            lambda: idempotency.once(
                view.actor,
                key=key,
                request_hash=fingerprint,
                method=request.method or "",
                path=django_request.path,
                now=clock.now(),
                effect=effect,
            )
        )
        return _response(answer)

    keyed.is_idempotent = True  # type: ignore[attr-defined]
    return cast("Callable[Concatenate[View, Request, Rest], HttpResponse]", keyed)


def _effect(view: ExchangeAPIView, run: Callable[[], Response]) -> Answer:
    try:
        # A savepoint: what a refused effect has done is undone, and the refusal itself is kept.
        with transaction.atomic():
            try:
                response = run()
            except DomainError as error:
                if not error.keeps_what_was_done:
                    raise
                response = _refusal(view, error)
    except (DomainError, APIException) as error:
        response = _refusal(view, error)
    return Answer(response.status_code, JSONRenderer().render(response.data).decode())


def _refusal(view: ExchangeAPIView, error: Exception) -> Response:
    return cast("Response", view.get_exception_handler()(error, view.get_exception_handler_context()))


def _outermost(run: Callable[[], Answer]) -> Answer:
    # Only here, outside every transaction, may a deadlock's victim try again.
    for _ in range(_ATTEMPTS - 1):
        try:
            return run()
        except OperationalError as error:
            if not isinstance(error.__cause__, (postgres.DeadlockDetected, postgres.SerializationFailure)):
                raise
    return run()


def _response(answer: Answer) -> HttpResponse:
    kind = "application/json" if answer.status_code < 400 else "application/problem+json"
    headers: dict[str, Any] = {REPLAYED: "true"} if answer.replayed else {}
    return HttpResponse(answer.body, status=answer.status_code, content_type=kind, headers=headers)
