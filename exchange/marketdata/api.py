"""Public market data over HTTP: JSON for programs, CSV for spreadsheets, for everybody."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, Final

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.foundation import clock, schemas, strict
from accounts.foundation.errors import FieldProblem, Invalid
from accounts.web.filters import check_parameters
from accounts.web.public import PublicAPIView
from accounts.web.views import PUBLIC
from exchange.marketdata import csv_lines, queries, rules, serializers
from exchange.marketdata.rules import Window
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.rounds import collars

ROWS: Final = 1_000  # of one JSON answer; CSV has them all
_FORMATS: Final = ("json", "csv")
_FORMAT: Final = OpenApiParameter(
    "format", {"type": "string", "enum": list(_FORMATS), "default": "json"}, OpenApiParameter.QUERY
)
_WINDOW: Final = [
    OpenApiParameter(name, schemas.instant(), OpenApiParameter.QUERY, description=meaning)
    for name, meaning in (("from", "The first instant; a week ago."), ("before", "The end; a month ahead."))
]


class Table(PublicAPIView):
    """A public table of one market."""

    required_capability: ClassVar = {"GET": PUBLIC}
    name: ClassVar[str]
    has_window: ClassVar[bool] = True

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the rows, those of a long table one after the other."""
        raise NotImplementedError

    @extend_schema(parameters=[*_WINDOW, _FORMAT])
    def get(self, request: Request, code: str) -> HttpResponseBase:
        """Answer the table, or that it has not changed."""
        return self.table(request, code)

    def table(self, request: Request, code: str) -> HttpResponseBase:
        """Read what is asked for and answer it in the form that is asked for."""
        check_parameters(request, ("format", "from", "before") if self.has_window else ("format",))
        market, now = markets.by_code(code), clock.now()
        asked, as_csv = _window(request, now=now), _is_csv(request)
        output = self.outputs["GET"]
        assert issubclass(output, serializers.TableOut)
        if as_csv:
            found = serializers.spelled(self.rows(market, asked, now=now), output.row)
            return self.answer_stream(
                csv_lines.lines(output.row.columns(), found),
                version=self.version(market, asked, now=now),
                content_type="text/csv; charset=utf-8",
                filename=f"{market.code}-{self.name}.csv",
            )
        rows = list(islice(serializers.spelled(self.rows(market, asked, now=now), output.row), ROWS + 1))
        return self.answer_json(
            {
                "market": market.code,
                "currency": market.currency,
                "unit": market.unit,
                "timezone": market.timezone,
                "has_more": len(rows) > ROWS,
                "rows": rows[:ROWS],
            }
        )

    def version(self, market: Market, asked: Window, *, now: datetime) -> str:
        """Return what names the rows of a stream before they are read."""
        return queries.version(market, self.name, asked.starts_at, asked.ends_at)


class Depth(Table):
    """What is offered and wanted for the hours that the next gate delivers, by kind, hub, day and price."""

    outputs: ClassVar = {"GET": serializers.DepthOut}
    name = "depth"
    has_window = False

    @extend_schema(parameters=[_FORMAT])
    def get(self, request: Request, code: str) -> HttpResponseBase:
        """Answer the depth."""
        return self.table(request, code)

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the levels."""
        return queries.depth(market, now=now)

    def version(self, market: Market, asked: Window, *, now: datetime) -> str:
        """Return the levels themselves: they change with every order."""
        return repr(queries.depth(market, now=now))


class Indicative(Depth):
    """What the coming gate would find, said at least twice in its no-cancel phase."""

    outputs: ClassVar = {"GET": serializers.IndicativeOut}
    name = "indicative"

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the lines of the latest indication."""
        return queries.indicative(market)

    def version(self, market: Market, asked: Window, *, now: datetime) -> str:
        """Return the lines themselves: there are few."""
        return repr(queries.indicative(market))


class Collars(Depth):
    """What may be bid and asked for each kind now, around what it was last traded at."""

    outputs: ClassVar = {"GET": serializers.CollarsOut}
    name = "collars"

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the collars."""
        return collars.collars(market, now=now)

    def version(self, market: Market, asked: Window, *, now: datetime) -> str:
        """Return the collars themselves: there are few."""
        return repr(collars.collars(market, now=now))


class Rounds(Table):
    """Rounds with what they traded, their welfare, bound and digests."""

    outputs: ClassVar = {"GET": serializers.RoundsOut}
    name = "rounds"

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the rounds with a gate in the window."""
        return queries.rounds(market, asked)


class Trades(Table):
    """Trades of published rounds, without names."""

    outputs: ClassVar = {"GET": serializers.TradesOut}
    name = "trades"

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the trades made in the window."""
        return queries.trades(market, asked)


class Prices(Table):
    """Published prices by cell and hour of delivery."""

    outputs: ClassVar = {"GET": serializers.PricesOut}
    name = "prices"

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the prices of hours in the window."""
        return queries.prices(market, asked)


class Index(Table):
    """The daily index by kind of resource and hub."""

    outputs: ClassVar = {"GET": serializers.IndexOut}
    name = "index"

    def rows(self, market: Market, asked: Window, *, now: datetime) -> Iterable[Any]:
        """Return the index of the delivery days in the window."""
        return queries.index(market, asked)


def _is_csv(request: Request) -> bool:
    asked = request.query_params.get("format", "json")
    if asked not in _FORMATS:
        raise _unreadable([FieldProblem("format", f"expected {' or '.join(_FORMATS)}, got {asked[:40]!r}", "query")])
    return asked == "csv"


def _window(request: Request, *, now: datetime) -> Window:
    problems: list[FieldProblem] = []

    def instant(name: str) -> datetime | None:
        text = request.query_params.get(name)
        try:
            return None if text is None else strict.instant(text)
        except strict.Mismatch as error:
            problems.append(FieldProblem(name, str(error), "query"))
            return None

    asked = rules.window(instant("from"), instant("before"), now=now)
    problems += rules.window_problems(asked) if not problems else ()
    if problems:
        raise _unreadable(problems)
    return asked


def _unreadable(problems: list[FieldProblem]) -> Invalid:
    return Invalid("The query has parameters that cannot be read.", problems)
