"""Reads of what is public in a market; no row names a member."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import TruncDay

from accounts.organisations.rules import OrganisationStatus
from catalog.measures.interval import HOUR
from catalog.offerings import cells
from catalog.offerings.needs import CellAttributes, Needs
from catalog.sites.models import Site
from exchange.indications import queries as indications
from exchange.indications.models import Indication
from exchange.marketdata import rules
from exchange.marketdata.rules import DayVolume, IndexDay, Window
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers.models import OfferSlot
from exchange.orders import queries as orders
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade

_CHUNK: Final = 1_000  # rows fetched at a time while they are streamed
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Level:
    """Unit-hours wanted or offered at one price, of one kind in one hub for one delivery day."""

    resource_type: str
    hub: str
    starts_at: datetime
    ends_at: datetime
    side: str
    price_micros: int
    unit_hours: int


def version(market: Market, *asked: object) -> str:
    """Return what is equal as long as no round of the market has moved: what follows from rounds is the same then."""
    seen = Round.objects.filter(market=market).aggregate(
        Count("id"), Max("created_at"), Max("gated_at"), Max("published_at"), Max("voided_at")
    )
    return json.dumps([market.code, rules.METHOD, *seen.values(), *asked], default=str)


def rounds(market: Market, window: Window) -> Iterator[Round]:
    """Yield the market's rounds with a gate in the window, the newest first, with what was traded in each."""
    found = (
        Round.objects.filter(market=market, scheduled_at__gte=window.starts_at, scheduled_at__lt=window.ends_at)
        .select_related("market", "snapshot", "outcome")
        .defer("snapshot__text", "outcome__text", "outcome__certificate", "outcome__record")
        .annotate(
            traded_unit_hours=Sum("prices__traded_unit_hours", default=0),
            turnover_micros=Sum(F("prices__traded_unit_hours") * F("prices__price_micros"), default=0),
        )
    )
    yield from found.order_by("-scheduled_at").iterator(chunk_size=_CHUNK)


def indicative(market: Market) -> list[dict[str, Any]]:
    """Return the lines of the latest indication of the coming gate; none before its no-cancel phase."""
    latest = indications.latest(market)
    return [] if latest is None else lines_of(latest)


def lines_of(latest: Indication) -> list[dict[str, Any]]:
    """Return the lines of an indication: by cell and hours the price, what is matched, and the imbalance."""
    said = {"round_id": latest.round_id, "taken_at": latest.taken_at}
    return [said | line | _read(line) for line in latest.lines]


def _read(line: dict[str, Any]) -> dict[str, Any]:
    """Return what a stored line says in texts and sums only."""
    hours = {name: datetime.fromisoformat(line[name]) for name in ("starts_at", "ends_at")}
    return {**hours, "imbalance_unit_hours": line["unmet_unit_hours"] - line["spare_unit_hours"]}


def trades(market: Market, window: Window) -> Iterator[Trade]:
    """Yield the trades of published rounds made in the window, the newest first."""
    found = _published_trades(market).filter(created_at__gte=window.starts_at, created_at__lt=window.ends_at)
    yield from found.order_by("-created_at", "-id").iterator(chunk_size=_CHUNK)


def prices(market: Market, window: Window) -> Iterator[RoundPrice]:
    """Yield the published prices of hours in the window, by cell and hour, the newest round last."""
    found = RoundPrice.objects.filter(market=market, starts_at__lt=window.ends_at, ends_at__gt=window.starts_at)
    yield from found.order_by("cell", "starts_at", "published_at", "id").iterator(chunk_size=_CHUNK)


def index(market: Market, window: Window) -> list[IndexDay]:
    """Return the daily index of every kind of resource and hub on the delivery days of the window."""
    zone = ZoneInfo(market.timezone)
    first = window.starts_at.astimezone(zone).date()
    last = (window.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    return rules.index(volumes(market, first=first - rules.CARRY_DAYS * _DAY, last=last), first=first, last=last)


def volumes(market: Market, *, first: date, last: date) -> list[DayVolume]:
    """Return what published rounds traded for each delivery day of `[first, last]` in the market's zone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.code, h.code, day, sum(t.price_micros::numeric * t.quantity), sum(t.quantity),
                count(DISTINCT t.id), count(DISTINCT t.buyer_id), count(DISTINCT t.provider_id)
            FROM exchange_trade t
            JOIN exchange_round r ON r.id = t.round_id AND r.status = 'published'
            JOIN exchange_offer f ON f.id = t.offer_id JOIN catalog_offering g ON g.id = f.offering_id
            JOIN catalog_resourcetype k ON k.id = g.resource_type_id
            JOIN catalog_site s ON s.id = g.site_id JOIN catalog_hub h ON h.id = s.hub_id
            CROSS JOIN LATERAL generate_series(t.starts_at, t.ends_at - interval '1 hour', interval '1 hour') AS hour
            CROSS JOIN LATERAL (SELECT (hour AT TIME ZONE %(zone)s)::date AS day) d
            WHERE t.market_id = %(market)s AND day BETWEEN %(first)s AND %(last)s
              AND t.ends_at > %(first)s::date - interval '1 day' AND t.starts_at < %(last)s::date + interval '2 days'
            GROUP BY 1, 2, 3
            """,
            {"zone": market.timezone, "market": market.id, "first": first, "last": last},
        )
        rows = cursor.fetchall()
    return [
        DayVolume(kind, hub, day, int(value), int(hours), *counts) for kind, hub, day, value, hours, *counts in rows
    ]


def depth(market: Market, *, now: datetime) -> list[Level]:
    """Return what is offered and wanted in the hours that the next gate delivers, by kind, hub, day and price.

    An order that several hubs or kinds could fill is counted in each of them; one with a flexible window in each day
    that it may be delivered on.
    """
    reach = market_rules.horizon(market.terms, market_rules.next_gate(market.terms, now))
    pools = _pools(market)
    found: dict[tuple[str, str, datetime, str, int], int] = defaultdict(int)
    for kind, hub, day, price, hours in _supply(market, pools, reach.first_at, reach.last_at):
        found[kind, hub, day, "supply", price] += hours
    for kind, hub, day, price, hours in _demand(market, pools, reach.first_at, reach.last_at):
        found[kind, hub, day, "demand", price] += hours
    return [
        Level(kind, hub, day, _next_day(market, day), side, price, hours)
        for (kind, hub, day, side, price), hours in sorted(found.items())
    ]


@dataclass(frozen=True)
class Pool:
    """What a listed offering is of, where, and what needs are checked against."""

    resource_type: str
    hub: str
    attributes: CellAttributes


def _pools(market: Market) -> dict[UUID, Pool]:
    listed = markets.listed_offerings(market).filter(provider__status=OrganisationStatus.ACTIVE)
    return {
        offering.id: Pool(offering.resource_type.code, offering.site.hub.code, cells.attributes(offering))
        for offering in listed
    }


Wanted = tuple[str, str, datetime, int, int]  # kind, hub, day, price in micros, unit-hours


def _supply(market: Market, pools: dict[UUID, Pool], first_at: datetime, last_at: datetime) -> Iterator[Wanted]:
    rows = (
        OfferSlot.objects.filter(
            offer__market=market,
            offer__closed_at__isnull=True,
            offer__offering_id__in=list(pools),
            starts_at__gte=first_at,
            starts_at__lt=last_at,
            quantity__gt=F("held") + F("sold"),
        )
        .annotate(day=TruncDay("starts_at", tzinfo=ZoneInfo(market.timezone)))
        .values_list("offer__offering_id", "offer__reserve_micros", "day")
        .annotate(hours=Sum(F("quantity") - F("held") - F("sold")))
    )
    for offering_id, price, day, hours in rows:
        yield pools[offering_id].resource_type, pools[offering_id].hub, day.astimezone(UTC), price, hours


def _demand(market: Market, pools: dict[UUID, Pool], first_at: datetime, last_at: datetime) -> Iterator[Wanted]:
    by_pair: dict[tuple[str, str], list[CellAttributes]] = defaultdict(list)
    for pool in pools.values():
        by_pair[pool.resource_type, pool.hub].append(pool.attributes)
    accepted: dict[str, list[tuple[str, str]]] = {}
    wanting = orders.live(market.id).filter(
        buyer__status=OrganisationStatus.ACTIVE, earliest_at__lt=last_at, latest_at__gt=first_at
    )
    for order in wanting.iterator(chunk_size=_CHUNK):
        spelled = json.dumps(order.needs, sort_keys=True)
        if spelled not in accepted:
            needs = Needs.from_document(order.needs)
            accepted[spelled] = [
                pair for pair, cells_ in by_pair.items() if any(not needs.unmet_by(cell) for cell in cells_)
            ]
        start, end = max(order.earliest_at, first_at), min(order.latest_at, last_at)
        for day, overlap in _days(market, start, end):
            hours = overlap if order.hours is None else min(order.hours, overlap)
            unit_hours = min(order.quantity_max * hours, order.open_unit_hours)
            for kind, hub in accepted[spelled] if unit_hours else ():
                yield kind, hub, day, order.limit_micros, unit_hours


def _days(market: Market, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield the beginning of each local day of a window, with the whole hours of it that lie inside."""
    day = start.astimezone(ZoneInfo(market.timezone)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    while day < end:
        following = _next_day(market, day)
        yield day, max(0, (min(end, following) - max(start, day)) // HOUR)
        day = following


def _next_day(market: Market, day: datetime) -> datetime:
    # On the wall clock: a day of summer time has 23 or 25 hours.
    return (day.astimezone(ZoneInfo(market.timezone)) + _DAY).astimezone(UTC)


def hubs_of_cells(found: Iterable[str]) -> dict[str, str]:
    """Return the hub of each cell by the site that its code begins with."""
    sites = {cell.partition("/")[0] for cell in found}
    hub_of = dict(Site.objects.filter(code__in=sites).values_list("code", "hub__code"))
    return {cell: hub_of.get(cell.partition("/")[0], "") for cell in found}


def _published_trades(market: Market) -> QuerySet[Trade]:
    traded = Trade.objects.filter(market=market, round__status=RoundStatus.PUBLISHED)
    return traded.select_related("round", "offer__offering__resource_type", "offer__offering__site__hub")
