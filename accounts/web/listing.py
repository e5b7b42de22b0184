"""Lists on pages: newest first, walked backwards by id."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.foundation.errors import NotFound

ROWS: Final = 25


@dataclass(frozen=True)
class Listing:
    """One page of rows and the address of the older ones, empty on the last page."""

    rows: list[Any]
    older: str


def listing(rows: QuerySet[Any], request: HttpRequest, *, limit: int = ROWS) -> Listing:
    """Return the page that the request asks for: `?before=ID` shows rows older than that one.

    Raises NotFound for an address that no page of ours links to.
    """
    before = request.GET.get("before")
    if before:
        try:
            rows = rows.filter(id__lt=UUID(before))
        except ValueError as error:
            raise NotFound from error
    found = list(rows.order_by("-id")[: limit + 1])
    if len(found) <= limit:
        return Listing(found, "")
    shown = found[:limit]
    query = {**request.GET.dict(), "before": str(shown[-1].id)}
    return Listing(shown, f"?{urlencode(query)}")
