"""The collar of a kind of resource: so many per cent around what was last traded, inside the market's own bounds.

The reference of a kind is the volume-weighted average price of all hours that the last published round to trade the
kind has traded of it, rounded half up to micros; a round published more than CARRY_DAYS days ago is none.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.markets.rules import MarketTerms

CARRY_DAYS: Final = 7


@dataclass(frozen=True)
class Collar:
    """What may be bid and asked for a kind now, in micros a unit-hour, and the reference that it stands around."""

    resource_type: str
    reference_micros: int
    lowest_micros: int
    highest_micros: int
    published_at: datetime


def collars(market: Market, *, now: datetime, kinds: Collection[str] | None = None) -> list[Collar]:
    """Return the collars of kinds that were traded lately, by kind; none in a market without one."""
    percent = market.collar_percent
    if percent is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH traded AS (
                SELECT split_part(cell, '/', 2) AS kind, round_id, published_at, price_micros, traded_unit_hours
                FROM exchange_roundprice
                WHERE market_id = %(market)s AND published_at > %(since)s AND published_at <= %(now)s
                  AND traded_unit_hours > 0 AND (%(kinds)s::text[] IS NULL OR split_part(cell, '/', 2) = ANY(%(kinds)s))
            ), latest AS (
                SELECT DISTINCT ON (kind) kind, round_id FROM traded ORDER BY kind, published_at DESC, round_id DESC
            )
            SELECT kind, round(sum(price_micros::numeric * traded_unit_hours) / sum(traded_unit_hours))::bigint,
                max(published_at)
            FROM traded JOIN latest USING (kind, round_id) GROUP BY kind ORDER BY kind
            """,
            {
                "market": market.id,
                "since": now - timedelta(days=CARRY_DAYS),
                "now": now,
                "kinds": None if kinds is None else list(kinds),
            },
        )
        rows = cursor.fetchall()
    return [
        Collar(kind, reference, *market_rules.collar(market.terms, reference, percent=percent), published_at)
        for kind, reference, published_at in rows
    ]


def terms_for(market: Market, kinds: Iterable[str], *, now: datetime) -> MarketTerms:
    """Return the market's terms with the prices that any of these kinds allows; its own where one was not traded."""
    terms = market.terms
    wanted = set(kinds) if market.collar_percent is not None else set()
    found = collars(market, now=now, kinds=wanted) if wanted else []
    if not wanted or len(found) < len(wanted):
        return terms
    return replace(
        terms,
        collar_min_micros=min(one.lowest_micros for one in found),
        collar_max_micros=max(one.highest_micros for one in found),
    )
