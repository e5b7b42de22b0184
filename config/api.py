'''How the API answers: refusals as problems (RFC 9457), strict JSON in, keys and sessions as callers.

Apps never import this module: settings name its classes. What their views are made of is in
`accounts.web`, for example:

    class Orders(ListMixin[Order], ExchangeAPIView):
        """Orders of the caller's organisation."""

        required_capability = {"GET": Capability.VIEW_BUYING, "POST": Capability.TRADE}
        inputs = {"POST": PlaceOrder}
        outputs = {"GET": OrderOut, "POST": OrderOut}
        filterset_class = OrderFilters

        def rows(self) -> QuerySet[Order]:
            return queries.visible_to(self.actor)

        @idempotent
        def post(self, request: Request) -> Response:
            order = orders.place(self.actor, PlaceOrder.spec(self.read()), now=clock.now())
            return self.answer(order, status=201)


    class OneOrder(ExchangeAPIView):
        """One order."""

        required_capability = {"GET": Capability.VIEW_BUYING}
        outputs = {"GET": OrderOut}

        def get(self, request: Request, order_id: UUID) -> Response:
            return self.answer(queries.get(self.actor, order_id))
'''

import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from psycopg import errors as postgres
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.foundation import errors
from accounts.foundation.errors import DomainError, FieldProblem, Invalid
from accounts.idempotency.errors import StillRunning

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

STATUS_BY_KIND: Final[Mapping[type[DomainError], HTTPStatus]] = {
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.PaymentRequired: HTTPStatus.PAYMENT_REQUIRED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# PostgreSQL gave up for us: the same request may succeed in a moment.
_BUSY: Final = (
    postgres.LockNotAvailable,
    postgres.DeadlockDetected,
    postgres.SerializationFailure,
    postgres.QueryCanceled,
)


class Busy(errors.Unavailable):
    """Somebody else held what this request needed for too long."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("Another request holds what this one needs; repeat it in a moment.")


def status_of(error: DomainError) -> HTTPStatus:
    """Return the status of a refusal by its kind."""
    return next(status for kind, status in STATUS_BY_KIND.items() if isinstance(error, kind))


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn a refusal into a problem; None lets what nobody foresaw become a 500."""
    refusal = _as_refusal(error)
    if isinstance(refusal, DomainError):
        response = Response(problem(refusal), status=status_of(refusal), content_type=MEDIA_TYPE)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response["WWW-Authenticate"] = 'Bearer realm="exchange"'
        if isinstance(refusal, errors.TooManyTries):
            response["Retry-After"] = str(refusal.retry_after_seconds)
        elif isinstance(refusal, (StillRunning, errors.Unavailable)):
            response["Retry-After"] = "1"
        return response
    if isinstance(refusal, exceptions.APIException):
        return _framework_refusal(refusal)
    return None


def _as_refusal(error: Exception) -> Exception:
    """Translate what Django, DRF and PostgreSQL raise into refusals of ours, where there is one."""
    match error:
        case exceptions.ValidationError():
            return Invalid("The body has fields that cannot be read.", tuple(_problems(error.detail)))
        case Http404():
            return errors.NotFound()
        case PermissionDenied() | exceptions.PermissionDenied():
            return errors.Forbidden(str(error) or "This is not allowed.")
        case RequestDataTooBig() | SuspiciousOperation():
            return Invalid("The request cannot be read.")
        case OperationalError() if isinstance(error.__cause__, _BUSY):
            logger.warning("refused as busy: %s", error.__cause__)
            return Busy()
    return error


def _framework_refusal(error: exceptions.APIException) -> Response:
    document = _document(HTTPStatus(error.status_code), str(error.default_code), str(error.detail))
    response = Response(document, status=error.status_code, content_type=MEDIA_TYPE)
    if (wait := getattr(error, "wait", None)) is not None:
        response["Retry-After"] = str(int(wait) + 1)
    return response


def problem(error: DomainError) -> dict[str, Any]:
    """Return the problem document of a refusal."""
    document = _document(status_of(error), error.code, error.detail)
    document.update(error.facts)
    if error.problems:
        document["errors"] = [_entry(item) for item in error.problems]
    return document


def _document(status: HTTPStatus, code: str, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": status.phrase, "status": status.value, "code": code, "detail": detail}


def _entry(item: FieldProblem) -> dict[str, str]:
    if item.place == "body":
        return {"detail": item.detail, "pointer": f"#{item.pointer}"}
    return {"detail": item.detail, "parameter" if item.place == "query" else "header": item.pointer}


def _problems(detail: object, pointer: str = "") -> Iterator[FieldProblem]:
    """Flatten the nested errors of a serializer into JSON Pointers."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = pointer if name == "non_field_errors" else f"{pointer}/{_escaped(str(name))}"
            yield from _problems(inner, here)
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        # A list holds messages, or for a list of objects one mapping for each of them.
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping)
            yield from _problems(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield FieldProblem(pointer, str(detail))


def _escaped(name: str) -> str:
    return name[:60].replace("~", "~0").replace("/", "~1")


def answer(error: DomainError) -> HttpResponse:
    """Return the problem of a refusal outside DRF, where no view was found or reached: the same bytes as inside."""
    body = JSONRenderer().render(problem(error))
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(body, status=status_of(error), content_type=MEDIA_TYPE, headers=headers)


def concerns(request: HttpRequest) -> bool:
    """Tell whether a request is for the API rather than for a page."""
    return request.path.startswith("/v1/")
