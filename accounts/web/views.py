"""The base of every API view: who may call it, what goes in and what comes out.

Two examples of use are in the docstring of `config.api`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http.request import RawPostDataException
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from accounts.actors.actor import Actor
from accounts.foundation.errors import FieldProblem, Invalid, mismatch
from accounts.web.permissions import ANY_ACTOR as ANY_ACTOR
from accounts.web.permissions import PUBLIC as PUBLIC
from accounts.web.permissions import HasRequiredCapability, Requirement

Row = TypeVar("Row", bound=Model)


class ExchangeAPIView(GenericAPIView[Any]):
    """A resource under /v1/."""

    # For each method: a capability, several of which one suffices, ANY_ACTOR or PUBLIC.
    required_capability: ClassVar[Mapping[str, Requirement]] = {}
    inputs: ClassVar[Mapping[str, type[Serializer[Any]]]] = {}
    outputs: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    # The status of success where it is not the usual one: 201 for POST, 204 for DELETE, else 200.
    statuses: ClassVar[Mapping[str, int]] = {}
    max_body_bytes: ClassVar[int] = 1024 * 1024

    permission_classes = (HasRequiredCapability,)
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @classmethod
    def requirement(cls, method: str) -> Requirement | None:
        """Return what a method asks of its caller; HEAD asks what GET asks."""
        return cls.required_capability.get("GET" if method == "HEAD" else method)

    @classmethod
    def success_status(cls, method: str) -> int:
        """Return the status with which a method answers when it succeeds."""
        return cls.statuses.get(method, {"POST": 201, "DELETE": 204}.get(method, 200))

    @property
    def actor(self) -> Actor:
        """Who calls. Only for methods that are not PUBLIC."""
        assert isinstance(self.request.auth, Actor), "a public method has no actor"
        return self.request.auth

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Settle who calls, then parse the body, before the method looks at anything else.

        So a body that cannot be read is refused whatever it is about.
        """
        super().initial(request, *args, **kwargs)
        _check_transfer(request)
        if request.method in self.inputs:
            raw_body(request)
            _ = request.data

    def read(self) -> dict[str, Any]:
        """Return the validated body; raises what the exception handler answers with 400."""
        serializer = self.inputs[self.request.method or ""](data=self.request.data, context={"actor": self.actor})
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)

    def answer(self, instance: object, *, status: int | None = None) -> Response:
        """Return one object in the shape and with the status that the view declares for the method."""
        method = "GET" if self.request.method == "HEAD" else self.request.method or ""
        body = self.outputs[method](instance, context={"request": self.request}).data
        return Response(body, status=status or self.success_status(method))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Forbid caches to keep anything: what is answered belongs to one organisation."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.setdefault("Cache-Control", "no-store")
        return response


class BodyWrapped(Invalid):
    """The body is sent in a form that is not taken."""

    code = "body_wrapped"

    def __init__(self, header: str, value: str, expected: str) -> None:
        problem = FieldProblem(header, mismatch(value, expected), place="header")
        super().__init__(f"{header}: {problem.detail}", (problem,))


def _check_transfer(request: Request) -> None:
    """Refuse what would be read as something else than was sent: a packed body as text, one in chunks as nothing."""
    packed = request.headers.get("Content-Encoding", "").strip()
    if packed.lower() not in {"", "identity"}:
        raise BodyWrapped("Content-Encoding", packed, "none: the body as it is")
    chunked = request.headers.get("Transfer-Encoding", "")
    if chunked and "CONTENT_LENGTH" not in request.META:
        raise BodyWrapped("Transfer-Encoding", chunked, "none, and a Content-Length")


def raw_body(request: Request) -> bytes:
    """Return the bytes of the body; to be called before anything parses it, so that both see the same."""
    try:
        return bytes(request._request.body)
    except RawPostDataException as error:  # a form, which the check for CSRF has looked into
        raise UnsupportedMediaType(request.content_type or "") from error


class ListMixin(Generic[Row]):
    """Answer GET with a page of `rows()`, filtered by `filterset_class`, by keyset on `keyset`."""

    filterset_class: ClassVar[Any] = None
    # A unique, ordered field; "-id" is newest first, for ids are UUIDv7.
    keyset: ClassVar[str] = "-id"

    def rows(self) -> QuerySet[Row]:
        """Return what the actor may see: `queries.visible_to(self.actor)`."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Row]:
        """Return the rows; the schema generator has no actor and gets nothing."""
        view = cast("ExchangeAPIView", self)
        if getattr(view, "swagger_fake_view", False):
            return self.model_rows()
        return self.rows()

    def model_rows(self) -> QuerySet[Row]:
        """Return an empty set of the right model, from which filters are described."""
        model = self.filterset_class._meta.model if self.filterset_class else None
        return cast("QuerySet[Row]", model._default_manager.none() if model else None)

    def get(self, request: Request, *args: UUID, **kwargs: UUID) -> Response:
        """Answer one page."""
        view = cast("ExchangeAPIView", self)
        page = view.paginate_queryset(view.filter_queryset(view.get_queryset()))
        assert page is not None
        serializer = view.outputs["GET"](self.prepared(page), many=True, context={"request": request})
        return view.get_paginated_response(serializer.data)

    def prepared(self, page: Iterable[Row]) -> Iterable[object]:
        """Return what the output serializer is given: the rows, unless a view looks things up for all of them."""
        return page
