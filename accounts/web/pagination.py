"""Pages by keyset: `{data, next_cursor, has_more}`, and a Link header to the next."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.foundation import strict
from accounts.foundation.errors import FieldProblem, Invalid

DEFAULT_LIMIT: Final = 20
MAXIMUM_LIMIT: Final = 100


class WrongCursor(Invalid):
    """The cursor was not given out by this list."""

    code = "wrong_cursor"

    def __init__(self) -> None:
        detail = "expected the next_cursor of an earlier page of this list"
        super().__init__(f"cursor: {detail}.", (FieldProblem("cursor", detail, "query"),))


class KeysetPagination(BasePagination):
    """Pages that neither skip nor repeat rows while others are added; a late page costs what an early one does."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return one page of the rows in the order of the view's `keyset`."""
        self.request = request
        ordering: str = getattr(view, "keyset", "-id")
        self.field = ordering.lstrip("-")
        limit = self._limit(request)
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            comparison = "lt" if ordering.startswith("-") else "gt"
            queryset = queryset.filter(**{f"{self.field}__{comparison}": self._position(queryset, cursor)})
        rows = list(queryset.order_by(ordering)[: limit + 1])
        self.has_more = len(rows) > limit
        page = rows[:limit]
        self.next_cursor = _encode(getattr(page[-1], self.field)) if self.has_more else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page with its cursor and, where there is a next page, its Link header."""
        headers = {}
        if self.next_cursor is not None:
            query = urlencode({**self.request.query_params.dict(), "cursor": self.next_cursor})
            address = self.request.build_absolute_uri(f"{self.request.path}?{query}")
            headers["Link"] = f'<{address}>; rel="next"'
        body = {"data": data, "next_cursor": self.next_cursor, "has_more": self.has_more}
        return Response(body, headers=headers)

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the shape of a page for the API description."""
        return {
            "type": "object",
            "required": ["data", "next_cursor", "has_more"],
            "properties": {
                "data": schema,
                "next_cursor": {"type": ["string", "null"]},
                "has_more": {"type": "boolean"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters for the API description."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT}
        cursor = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 400}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": cursor},
            {"name": "limit", "in": "query", "required": False, "schema": limit},
        ]

    def _limit(self, request: Request) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return DEFAULT_LIMIT
        try:
            return strict.integer_text(text, minimum=1, maximum=MAXIMUM_LIMIT)
        except strict.Mismatch as error:
            raise Invalid(f"limit: {error}", (FieldProblem("limit", str(error), "query"),)) from error

    def _position(self, queryset: QuerySet[Any], cursor: str) -> object:
        try:
            value = queryset.model._meta.get_field(self.field).to_python(_decode(cursor))
        except (ValidationError, FieldDoesNotExist) as error:
            raise WrongCursor from error
        return value


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        text = raw.decode()
    except (binascii.Error, ValueError) as error:
        raise WrongCursor from error
    if not text.isprintable() or _encode(text) != cursor:
        raise WrongCursor
    return text
